import test from 'ava'
import fc from 'fast-check'
import { isParcomoloError } from '../../../src/base/index.ts'
import { type Scope } from '../../../src/saga/index.ts'
import { evaluatorOf } from './stage.ts'

/**
 * Random expressions, most of them rightly typed, over random values: what the checker lets through must give a value
 * of the field's type.
 */

type Texts = fc.Arbitrary<string>

const of = fc.constantFrom

const write = (parts: readonly Texts[], text: (...parts: string[]) => string): Texts =>
  fc.tuple(...parts).map((written) => text(...written))

type Kind = 'int' | 'double' | 'text' | 'boolean' | 'ints' | 'texts' | 'lines' | 'any'

type Tie = Readonly<Record<Kind, Texts>>

const choice = (...options: Texts[]): Texts => fc.oneof({ depthSize: 'small' }, ...options)

const either = (condition: Texts, one: Texts): Texts =>
  write([condition, one, one], (c, a, b) => `(${c} ? ${a} : ${b})`)

const numbers = ({ int, double, text, boolean, ints, any }: Tie) => ({
  int: choice(
    of('1', '-3', 'start.count', 'start.total', 'start.limit', 'steps.sure.score', 'start.numbers.size()'),
    of('(has(start.limit) ? start.limit : 0)', '(has(steps.maybe) ? steps.maybe.score : 1)'),
    write([int, of('+', '-', '*', '/', '%'), int], (a, op, b) => `(${a} ${op} ${b})`),
    either(boolean, int),
    write([any], (a) => `size(${a})`),
    write([ints], (a) => `(${a})[0]`),
    write([text], (a) => `int(${a})`)
  ),
  double: choice(
    of('1.5', 'start.rate', 'start.share'),
    write([int], (a) => `double(${a})`),
    write([double, of('+', '-', '*', '/'), double], (a, op, b) => `(${a} ${op} ${b})`)
  )
})

const texts = ({ text, boolean, texts, lines, any }: Tie) => ({
  text: choice(
    of("'a'", "''", 'start.id', 'start.level', 'start.note', 'start.home.city', 'saga.key', "start.labels['de']"),
    of("(has(start.place.zip) ? start.place.zip : 'z')", '(has(start.labels.de) ? start.labels.de : "x")'),
    write([text, text], (a, b) => `(${a} + ${b})`),
    write([any], (a) => `string(${a})`),
    write([texts, text], (a, b) => `(${a}).join(${b})`),
    either(boolean, text),
    write([text, of('trim', 'upperAscii', 'lowerAscii')], (a, method) => `(${a}).${method}()`)
  ),
  texts: choice(
    of('start.tags', '[]', "['q']"),
    write([text, text], (a, b) => `[${a}, ${b}]`),
    write([texts, texts], (a, b) => `(${a} + ${b})`),
    write([lines, of('l.sku', 'has(l.remark) ? l.remark : "-"')], (list, item) => `(${list}).map(l, ${item})`),
    either(boolean, texts)
  )
})

const conditions = ({ int, double, text, boolean, lines, any }: Tie) => ({
  boolean: choice(
    of('true', 'start.vip', 'has(start.note)', 'has(steps.maybe)', 'start.note == null'),
    write([boolean, of('&&', '||'), boolean], (a, op, b) => `(${a} ${op} ${b})`),
    write([boolean], (a) => `!(${a})`),
    write([any, of('==', '!=', '<', '<=', 'in'), any], (a, op, b) => `(${a} ${op} ${b})`),
    write([int, of('==', '<', '>='), double], (a, op, b) => `(${a} ${op} ${b})`),
    write(
      [lines, of('all', 'exists', 'exists_one'), of('l.quantity > 1', 'l == start.lines[0]', 'l in start.lines')],
      (list, loop, condition) => `(${list}).${loop}(l, ${condition})`
    ),
    write([text, of('contains', 'startsWith', 'endsWith'), text], (a, method, b) => `(${a}).${method}(${b})`)
  )
})

const lists = ({ int, boolean, ints, lines, any }: Tie) => ({
  ints: choice(
    of('start.numbers', '[]', '[1, 2]'),
    write([int, int], (a, b) => `[${a}, ${b}]`),
    write([ints, any], (a, b) => `(${a} + ${b})`),
    write([lines], (a) => `(${a}).map(l, l.quantity)`),
    write([ints, int], (a, b) => `(${a}).map(n, n > 1, n + ${b})`)
  ),
  lines: choice(
    of('start.lines', '[]'),
    write([lines], (a) => `(${a}).filter(l, l.quantity > 1)`),
    write([lines, int], (a, b) => `(${a}).map(l, {'sku': l.sku, 'quantity': ${b}})`),
    write([lines, lines], (a, b) => `(${a} + ${b})`),
    either(boolean, lines)
  )
})

const kinds = ['int', 'double', 'text', 'boolean', 'ints', 'texts', 'lines', 'any'] as const

const expressions = fc.letrec<Record<Kind, string>>((tie) => {
  const tied = Object.fromEntries(kinds.map((kind) => [kind, tie(kind)])) as Tie
  return {
    ...numbers(tied),
    ...texts(tied),
    ...conditions(tied),
    ...lists(tied),
    any: choice(
      ...kinds.slice(0, -1).map((kind) => tied[kind]),
      of(
        'null',
        'start',
        'start.home',
        'start.place',
        'start.mixed',
        'start.odd',
        'start.labels',
        "{'city': 'c'}",
        '{}'
      )
    )
  }
})

const isInteger = (value: unknown): boolean => Number.isSafeInteger(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isListOf = (isItem: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isItem)
const isItem = (value: unknown): boolean =>
  isText((value as { sku: unknown }).sku) && isInteger((value as { quantity: unknown }).quantity)

/** By field of `Take`: whether a value is of its type. */
const takes: Readonly<Record<string, (value: unknown) => boolean>> = {
  i: (value) => isInteger(value) && Math.abs(value as number) <= 2 ** 31,
  l: isInteger,
  d: (value) => typeof value === 'number',
  s: isText,
  b: (value) => typeof value === 'boolean',
  ints: isListOf(isInteger),
  texts: isListOf(isText),
  items: isListOf(isItem),
  note: (value) => value === null || isText(value),
  place: (value) => value === null || isText((value as { city: unknown }).city),
  mixed: (value) => isText(value) || isInteger(value),
  maybe: (value) => value === null || isListOf(isInteger)(value)
}

const fieldsFor: Readonly<Record<Kind, readonly string[]>> = {
  int: ['i', 'l', 'd'],
  double: ['d'],
  text: ['s', 'note'],
  boolean: ['b'],
  ints: ['ints', 'maybe'],
  texts: ['texts'],
  lines: ['items'],
  any: Object.keys(takes)
}

const pairs = fc.oneof(
  ...Object.entries(fieldsFor).map(([kind, fields]) => fc.tuple(of(...fields), expressions[kind as Kind]))
)

const small = fc.integer({ min: -5, max: 5 })
const word = of('', 'a', 'ab', '7', 'HIGH')
const place = fc.record({ city: word, zip: fc.option(word) })
const assessed = fc.record({ id: word, score: small, at: place })

const scopes: fc.Arbitrary<Scope> = fc.record({
  start: fc.record({
    id: word,
    total: fc.integer(),
    count: small,
    rate: fc.double({ noNaN: true, min: -10, max: 10 }),
    share: fc.constant(0.5),
    vip: fc.boolean(),
    level: of('LOW', 'HIGH'),
    lines: fc.array(fc.record({ sku: word, quantity: small, priceCents: small, remark: fc.option(word) }), {
      maxLength: 3
    }),
    tags: fc.array(word, { maxLength: 3 }),
    numbers: fc.array(small, { maxLength: 3 }),
    labels: of({}, { de: 'x' }),
    home: place,
    note: fc.option(word),
    place: fc.option(place),
    limit: fc.option(small),
    mixed: fc.oneof(small, word),
    odd: fc.option(fc.oneof(small, word))
  }),
  steps: fc.record({ sure: assessed, maybe: assessed }, { requiredKeys: ['sure'] }) as fc.Arbitrary<
    Scope['steps'] & object
  >,
  saga: fc.constant({ name: 't', key: 'k', revision: 'r' })
})

/** What depends on values, and no type can rule out. */
const excused = /division by zero|modulo by zero|out of range|overflow|the map has no 'de'|cannot convert/

test('an expression that is let through gives a value of the type that is expected', (t) => {
  let evaluatedCount = 0
  fc.assert(
    fc.property(pairs, fc.array(scopes, { minLength: 3, maxLength: 3 }), ([field, expression], several) => {
      fc.pre(expression.length < 600)
      const evaluate = loaded(field, expression)
      if (evaluate === undefined) return
      for (const scope of several) {
        try {
          if (!takes[field]!(evaluate(scope))) throw new Error(`${expression} gives no value for '${field}'`)
          evaluatedCount++
        } catch (error) {
          if (!isParcomoloError(error, 'PARCOMOLO_SAGA_EXPRESSION_FAILED') || !excused.test(error.message)) throw error
        }
      }
    }),
    { numRuns: 300 }
  )
  t.true(evaluatedCount > 100)
})

const loaded = (field: string, expression: string): ((scope: Scope) => unknown) | undefined => {
  try {
    return evaluatorOf(field, expression)
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return undefined
    throw error
  }
}
