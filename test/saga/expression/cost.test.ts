import test from 'ava'
import { decide, evolve, type SagaEvent, type SagaInput } from '../../../src/saga/index.ts'
import { sagaLimits } from '../../../src/saga/definition/limits.ts'
import { errorsOf, load, withSteps } from '../load/fixture.ts'
import { evaluatorOf, faultsOf, started } from './stage.ts'

const lines = Array.from({ length: 1000 }, (_, i) => ({ sku: `s${i}`, quantity: i, priceCents: 1, remark: null }))

/** As large as a message may make it. */
const large = {
  start: {
    ...started,
    id: 'a'.repeat(100_000),
    note: '😀'.repeat(50_000),
    tags: Array.from({ length: 1000 }, () => 'a'.repeat(50_000)),
    numbers: Array.from({ length: 1000 }, (_, i) => i),
    labels: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'x'])),
    lines
  }
}

const costly: readonly (readonly [string, string])[] = [
  ['b', 'start.lines.all(l, start.lines.all(m, l.quantity >= 0 || m.quantity >= 0))'],
  ['b', 'start.lines.exists(l, start.lines.all(m, l.quantity > -1) && false) || true'],
  ['b', "start.tags.exists(t, start.id.contains(t + 'b'))"],
  ['b', "start.tags.exists(t, start.id.contains('b' + t))"],
  ['b', "start.tags.exists(t, start.id.lastIndexOf(t + 'b') > 0)"],
  ['b', "start.tags.exists(t, start.id.indexOf('ab', 5) > 0)"],
  ['b', 'start.tags.all(t, size(start.id) > 0)'],
  ['b', 'start.tags.all(t, has(start.note) && size(start.note) > 0)'],
  ['b', "start.tags.all(t, start.id.substring(99000) != 'x')"],
  ['b', 'start.tags.all(t, t == start.id.substring(0, 50000))'],
  ['b', "start.tags.all(t, start.id.upperAscii() != 'x')"],
  ['b', "start.tags.all(t, has(start.note) && start.note.lowerAscii() != 'x')"],
  ['b', "start.tags.all(t, start.id.trim() != 'x')"],
  ['b', 'start.tags.all(t, t <= start.id)'],
  ['b', 'start.tags.all(t, start.id.startsWith(t) && start.id.endsWith(t))'],
  ['b', "start.tags.all(t, start.id.split('a')[0] == 'b') || true"],
  ['b', "start.tags.all(t, start.id.split('')[0] == 'b') || true"],
  ['b', 'start.tags.all(t, double(start.id) > 0.0) || true'],
  ['b', "start.tags.all(t, ['a'].join(t) + t != 'x')"],
  ['b', 'start.lines.all(l, start.lines == start.lines)'],
  ['b', 'start.lines.all(l, l in start.lines)'],
  ['b', 'start.lines.all(l, start.tags == start.tags)'],
  ['b', 'start.lines.all(l, start.lines.exists(m, 1 / (l.quantity - l.quantity) == 1))'],
  ['b', 'start.lines.all(l, start.lines.map(m, 1 / (l.quantity - l.quantity) == 1 || true)[0])'],
  ['ints', 'start.numbers.map(l, start.numbers.map(m, m * l + m + m - l)[0])'],
  ['b', `[${'start.labels, '.repeat(100)}start.labels].all(l, start.labels == l)`]
]

for (const [field, expression] of costly) {
  test(`however large the data, no process is held for long: ${expression.slice(0, 90)}`, (t) => {
    const evaluate = evaluatorOf(field, expression)
    t.regex(
      t.throws(() => evaluate(large))?.message ?? '',
      /failed: it costs too much with this data; the limit turnCostMax is 100000 operations, for all expressions of /
    )
    const before = process.cpuUsage()
    t.throws(() => evaluate(large))
    const { user, system } = process.cpuUsage(before)
    // Some 4 ms where nothing measures the coverage; without a budget it is seconds to days.
    t.true((user + system) / 1000 < 200)
  })
}

test('what is usual costs little of the budget', (t) => {
  const record = "start.lines.map(l, {'sku': l.sku, 'quantity': l.quantity + 1})"
  t.is((evaluatorOf('items', record)(large) as unknown[]).length, 1000)
  t.true(evaluatorOf('b', "start.lines.all(l, l.quantity >= 0 && l.sku != '')")(large))
})

test('texts do not grow beyond the limit', (t) => {
  const evaluate = evaluatorOf('s', `[start.id]${'.map(x, x + x)'.repeat(20)}[0]`)
  t.regex(t.throws(() => evaluate())?.message ?? '', /a text has 131072 characters; the limit textCharsMax is 100000 /)
})

test('an expression that can only be too costly is refused with its estimate', (t) => {
  const ten = "'aaaaaaaaaa'"
  const thousand = `${ten}.split('').map(x, ${ten}).join().split('').map(x, ${ten}).join().split('')`
  const long = `${thousand}.map(x, '${'a'.repeat(100)}').join()`
  const loop = `${thousand}.all(t, [${long}].exists(q, ${Array(20).fill('q.contains(t)').join(' && ')}))`
  t.deepEqual(faultsOf('b', loop), [
    '1 the expression may cost 224938853 operations; the limit expressionCostMax is 100000000 operations; ' +
      'go through fewer lists inside each other, or compute the value where the message is made'
  ])
  const endless = `[1]${'.map(a, [a, a, a, a])'.repeat(30)} == [1]${'.map(b, [b, b, b, b])'.repeat(30)}`
  t.regex(faultsOf('b', endless)[0] ?? '', /^1 the expression may cost \d\.\de\+\d+ operations; /)
})

test('what two lists of a message ask for is not refused', (t) => {
  for (const expression of [
    'start.lines.exists(l, start.tags.exists(t, l.sku == t && l.quantity > 0))',
    'start.lines.exists(l, start.tags.exists(t, l.sku.contains(t)))',
    "start.lines.all(l, has(l.remark) ? l.remark.startsWith('x') : start.tags.filter(t, t in start.labels).size() > 0)",
    "start.lines.map(l, l.quantity > 0, {'a': [l], 'b': {'c': l.sku.split(',').join('')}})[0].b.c == string(1.5)",
    "(start.vip ? ['a'] + start.tags : ['b']).exists(t, t in (start.vip ? start.tags : [t + 'x']))"
  ]) {
    t.deepEqual(faultsOf('b', expression), [])
  }
})

test('signs count towards the depth', (t) => {
  const fault = '1 the expression is too large; the limit expressionDepthMax is 50 levels'
  t.deepEqual(faultsOf('b', `${'!'.repeat(300)}start.vip`), [fault])
  t.deepEqual(faultsOf('i', `${'-'.repeat(51)}start.count`), [fault])
  t.is(evaluatorOf('i', `${'-'.repeat(50)}start.count`)(), 7)
  t.is(evaluatorOf('i', `${'1 + '.repeat(240)}1`)(), 241)
})

test('records that double inside each other are refused before their types are compared', (t) => {
  const one = `[1]${".map(a, {'l': a, 'r': a})".repeat(30)}`
  const two = `[1]${".map(b, {'l': b, 'r': b})".repeat(30)}`
  t.regex(
    faultsOf('b', `${one} == ${two}`)[0] ?? '',
    /^212 the record written here has 1023 fields, with those of the records inside; the limit fieldsMax is 1000 /
  )
})

const turnedBack = `    - name: first
      command: Take
      with: { b: "true" }
      compensate: { command: Release, with: { id: start.id } }
    - name: second
      command: Ship
      when: start.lines.all(l, start.lines.all(m, l.quantity >= 0 || m.quantity >= 0))
      with: { id: start.id }
      compensate: none
`

test('a saga whose expression costs too much turns back, and its undos have a budget of their own', (t) => {
  const definition = load(
    withSteps(turnedBack).replaceAll(
      'command: Release, with: { id: start.id } }',
      'command: Release, with: { id: "start.lines.filter(l, l.quantity == 0)[0].sku" } }'
    )
  )
  const events: SagaEvent[] = []
  const payload = (type: string, value: object) => ({ type, value: { ...value }, bytes: new Uint8Array() })
  const feed = (input: SagaInput): void => {
    const instance = events.reduce<ReturnType<typeof evolve>>((state, event) => evolve(state, event, 0), undefined)
    events.push(...decide(definition, instance, input, { now: 0 }))
  }
  feed({ kind: 'start', key: 'k', message: payload('Started', large.start) })
  feed({ kind: 'answer', commandId: 'test/first/k', message: payload('Taken', { id: 'k' }) })
  t.deepEqual(
    events.map(({ type }) => type),
    ['SagaStarted', 'CommandIssued', 'StepSucceeded', 'CompensationStarted', 'CommandIssued']
  )
  const { failure } = (events[3] as SagaEvent & { type: 'CompensationStarted' }).value
  t.is(failure.type, 'ExpressionFailed')
  t.regex(failure.message, /turnCostMax/)
})

test('all expressions of one turn share its budget', (t) => {
  const evaluate = evaluatorOf('b', 'start.lines.all(l, l.quantity >= 0)')
  const budget = { left: sagaLimits.turnCost.value }
  evaluate({ ...large, budget })
  const cost = sagaLimits.turnCost.value - budget.left
  t.true(cost > 5000)
  evaluate({ ...large, budget: { left: cost } })
  t.throws(() => evaluate({ ...large, budget: { left: cost - 1 } }))
})

test('a file of brackets is refused at once', (t) => {
  for (const unit of ['[', '{', '[]', '{}', ']', '- [\n', '"', '*a ']) {
    const before = process.cpuUsage()
    t.true(errorsOf(unit.repeat(262_000 / unit.length)).length > 0)
    const { user, system } = process.cpuUsage(before)
    // A tenth of that; with a stack for each of the errors it was 2 to 4 s.
    t.true((user + system) / 1000 < 2000)
  }
})
