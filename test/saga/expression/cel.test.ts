import test from 'ava'
import { load, withSteps } from '../load/fixture.ts'
import { evaluatorOf, faultsOf, started } from './stage.ts'

/**
 * Expressions mean what CEL says. The first tables are those of CEL's own conformance tests that the language of sagas
 * has (google/cel-spec, tests/simple/testdata: string.textproto, string_ext.textproto, conversions.textproto,
 * comparisons.textproto, integer_math.textproto, logic.textproto, lists.textproto; Apache-2.0).
 */
const conformance: readonly string[] = [
  "size('') == 0",
  "size('A') == 1",
  "size('one\\ttwo') == 7",
  "size('four') == 4",
  "size('ÿ') == 1",
  "size('πέντε') == 5",
  "size('\\U0001F431\\U0001F600\\U0001F61B') == 3",
  "'foobar'.startsWith('foo')",
  "!'foobar'.startsWith('bar')",
  "''.startsWith('')",
  "!''.startsWith('foo')",
  "'завтра'.startsWith('за')",
  "'🐱😀😛'.startsWith('🐱')",
  "'foobar'.endsWith('bar')",
  "!'foobar'.endsWith('foo')",
  "'forté'.endsWith('té')",
  "'🐱😀😛'.endsWith('😛')",
  "'he' + 'llo' == 'hello'",
  "'¢' + 'ÿ' + 'Ȁ' == '¢ÿȀ'",
  "'r😀' + '' == 'r😀'",
  "'middle'.contains('dd')",
  "!'foobar'.contains('xyz')",
  "'Да'.contains('Да')",
  "'🐱😀😛😀😀'.contains('😛')",
  "'tacocat'.indexOf('') == 0",
  "'tacocat'.indexOf('ac') == 1",
  "'tacocat'.indexOf('none') == -1",
  "'tacocat'.indexOf('', 3) == 3",
  "'tacocat'.indexOf('a', 3) == 5",
  "'tacocat'.indexOf('at', 3) == 5",
  "'ta©o©αT'.indexOf('©') == 2",
  "'ta©o©αT'.indexOf('©', 3) == 4",
  "'ta©o©αT'.indexOf('©αT', 3) == 4",
  "'ta©o©αT'.indexOf('©α', 5) == -1",
  "'hello wello'.indexOf('ello', 6) == 7",
  "'hello wello'.indexOf('elbo room!!') == -1",
  "''.lastIndexOf('@@') == -1",
  "'tacocat'.lastIndexOf('') == 7",
  "'tacocat'.lastIndexOf('at') == 5",
  "'tacocat'.lastIndexOf('none') == -1",
  "'tacocat'.lastIndexOf('', 3) == 3",
  "'tacocat'.lastIndexOf('a', 3) == 1",
  "'ta©o©αT'.lastIndexOf('©') == 4",
  "'ta©o©αT'.lastIndexOf('©', 3) == 2",
  "'ta©o©αT'.lastIndexOf('©α', 4) == 4",
  "'hello wello'.lastIndexOf('ello', 6) == 1",
  "'bananananana'.lastIndexOf('nana', 7) == 6",
  "'TacoCat'.lowerAscii() == 'tacocat'",
  "'TacoCÆt'.lowerAscii() == 'tacocÆt'",
  "'TacoCÆt Xii'.lowerAscii() == 'tacocÆt xii'",
  "'tacoCat'.upperAscii() == 'TACOCAT'",
  "'tacoCαt'.upperAscii() == 'TACOCαT'",
  "'TacoCÆt Xii'.upperAscii() == 'TACOCÆT XII'",
  "'hello world'.split(' ') == ['hello', 'world']",
  "'hello world events!'.split(' ', 0) == []",
  "'hello world events!'.split(' ', 1) == ['hello world events!']",
  "'o©o©o©o'.split('©', -1) == ['o', 'o', 'o', 'o']",
  "'tacocat'.substring(4) == 'cat'",
  "'tacocat'.substring(7) == ''",
  "'tacocat'.substring(0, 4) == 'taco'",
  "'tacocat'.substring(4, 4) == ''",
  "'ta©o©αT'.substring(2, 6) == '©o©α'",
  "'ta©o©αT'.substring(7, 7) == ''",
  "' \\f\\n\\r\\t\\vtext  '.trim() == 'text'",
  "'\\u0085\\u00a0\\u1680text'.trim() == 'text'",
  "'text\\u2000\\u2001\\u2002\\u2003\\u2004\\u2004\\u2006\\u2007\\u2008\\u2009'.trim() == 'text'",
  "'\\u200atext\\u2028\\u2029\\u202F\\u205F\\u3000'.trim() == 'text'",
  "'\\u180etext\\u200b\\u200c\\u200d\\u2060\\ufeff'.trim() == '\\u180etext\\u200b\\u200c\\u200d\\u2060\\ufeff'",
  "['x', 'y'].join() == 'xy'",
  "['x', 'y'].join('-') == 'x-y'",
  "[].join() == ''",
  "[].join('-') == ''",
  "double('0.0') == 0.0",
  "double('-0.0') == 0.0",
  "double('123') == 123.0",
  "double('-987.654') == -987.654",
  "double('6.02214e23') == 6.02214e23",
  "double('-5.43e-21') == -5.43e-21",
  'int(-123.456) == -123',
  'int(1.9) == 1',
  'int(-7.9) == -7',
  'int(11.5) == 11',
  'int(-3.5) == -3',
  "int('987') == 987",
  "string(123) == '123'",
  "string(-456) == '-456'",
  "string(123.456) == '123.456'",
  "string(-4.5e-3) == '-0.0045'",
  "string('unchanged') == 'unchanged'",
  '1 == 1.0',
  '3 != 3.1',
  "'A' < 'B' && !('B' < 'A') && 'α' > 'omega' && 'a' < 'aa' && 'a' <= 'a' && 'b' >= 'a'",
  '[1, 2] == [1.0, 2.0]',
  "{'k': 'v'} == {'k': 'v'} && {'k': 'v'} != {'k': 'w'}",
  '15 + 16 == 31 && 42 - 23 == 19 && 42 * 3 == 126 && 60 / 4 == 15 && 42 % 5 == 2 && -5 / 2 == -2 && -5 % 2 == -1',
  'true || 1 / 0 == 1',
  '1 / 0 == 1 || true',
  '!(false && 1 / 0 == 1)',
  '!(1 / 0 == 1 && false)',
  '[1, 2, 3].exists(e, e / 0 == 1 || e > 2)',
  '2 in [7, 8, 2] && !(6 in [2, 7, 8]) && 1 in [1.0] && !(1 in [])'
]

for (const expression of conformance) {
  test(`CEL's own test holds: ${expression}`, (t) => {
    t.is(evaluatorOf('b', expression)(), true)
  })
}

/** Each beyond what CEL's own tests look at: a character that JavaScript holds in two halves. */
const codePoints: readonly (readonly [string, string, unknown])[] = [
  ['i', "size('a😀b')", 3],
  ['i', "'a😀b'.size()", 3],
  ['i', "'a😀b'.indexOf('b')", 2],
  ['i', "'😀😀b'.indexOf('b', 1)", 2],
  ['i', "'😀b😀b'.lastIndexOf('b')", 3],
  ['i', "'😀b😀b'.lastIndexOf('b', 2)", 1],
  ['i', "'😀'.lastIndexOf('')", 1],
  ['i', "'😀'.indexOf('', 1)", 1],
  ['i', "'😀'.indexOf('b', 1)", -1],
  ['i', "'😀'.lastIndexOf('b', 1)", -1],
  ['s', "'a😀b'.substring(0, size('a😀b') - 1)", 'a😀'],
  ['s', "'😀😀b'.substring(1)", '😀b'],
  ['s', "'😀ß'.upperAscii() + 'İ😀A'.lowerAscii()", '😀ßİ😀a'],
  ['texts', "'a😀b'.split('')", ['a', '😀', 'b']],
  ['texts', "'a😀b'.split('', 2)", ['a', '😀b']],
  ['texts', "'a😀b'.split('😀')", ['a', 'b']],
  ['b', "'\\uFFFD' < '😀' && '😀' > '\\uFFFD' && '😀' >= '\\uFFFD' && '\\uFFFD' <= '😀'", true]
]

for (const [field, expression, expected] of codePoints) {
  test(`characters are code points: ${expression}`, (t) => {
    t.deepEqual(evaluatorOf(field, expression)(), expected)
  })
}

/** [field, expression, why it fails] */
const failures: readonly (readonly [string, string, RegExp])[] = [
  ...['', ' ', 'x', '1e3', '0x1', '0b1', '0X1F', '1_0', ' 1', '9223372036854775808', 'y'.repeat(70)].map(
    (text) => ['l', `int('${text}')`, /int\(\) cannot convert '/] as const
  ),
  ...['', ' ', 'x', '0x10', '1 ', '1e999', '.', 'e1', '1_0', 'infinityx'].map(
    (text) => ['d', `double('${text}')`, /double\(\) cannot convert '/] as const
  ),
  ['l', 'int(1e99)', /int\(\) cannot convert 1e\+99; /],
  ['l', 'int(-9223372036854775809.0)', /int\(\) cannot convert -9223372036854776000; /],
  ['l', "int(double('nan'))", /int\(\) cannot convert NaN; /],
  ['s', "'😀'.substring(2)", /index 2 is out of range; the text has 1 characters/],
  ['s', "'😀'.substring(-1)", /index -1 is out of range/],
  ['s', "'😀'.substring(0, 2)", /index 2 is out of range/],
  ['s', "'ab'.substring(1, 0)", /index 0 is out of range/],
  ['s', "'ab'.substring(3, 4)", /index 3 is out of range/],
  ['i', "'ab'.indexOf('a', -1)", /index -1 is out of range/],
  ['i', "'ab'.lastIndexOf('a', -1)", /index -1 is out of range/],
  ['l', 'start.numbers[start.count]', /index 7 is out of range; the list has 3 items/],
  ['l', 'start.numbers[-1]', /index -1 is out of range; the list has 3 items/],
  ['l', "int('9223372036854775807') + 1", /integer overflow: 9223372036854775808/],
  ['l', "int('-9223372036854775808') / -1", /integer overflow/],
  ['l', "-int('-9223372036854775808')", /integer overflow/],
  ['l', 'start.count % (start.count - 7)', /modulo by zero/]
]

for (const [field, expression, expected] of failures) {
  test(`fails as CEL says: ${expression.slice(0, 60)}`, (t) => {
    t.regex(t.throws(() => evaluatorOf(field, expression)())?.message ?? '', expected)
  })
}

test('an index of an empty list tells its size', (t) => {
  const evaluate = evaluatorOf('s', 'start.tags[0]')
  const error = t.throws(() => evaluate({ start: { ...started, tags: [] } }))
  t.regex(error?.message ?? '', /index 0 is out of range; the list has 0 items$/)
})

test('words for numbers that are none are doubles', (t) => {
  t.is(evaluatorOf('b', "double('-inf') < 0.0 && double('Infinity') > 1.0")(), true)
  t.is(evaluatorOf('b', "double('NaN') == double('nan')")(), false)
})

test('half of a character is no text', (t) => {
  t.deepEqual(faultsOf('s', '"\\ud83d"').length, 1)
  t.deepEqual(faultsOf('s', "'x\uD83Dx'"), [
    '1 the text holds half of a character; no message can, so write the whole character'
  ])
})

const hostNames = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'prototype', 'isPrototypeOf']

test('no name of the host language is known', (t) => {
  for (const name of hostNames.filter((each) => !['__proto__', 'prototype'].includes(each))) {
    t.deepEqual(faultsOf('b', `${name} == 1`), [
      `1 unknown name '${name}'; known here: start, saga, steps; a text needs quotes of its own: "'${name}'"`
    ])
    t.regex(faultsOf('b', `start.${name} == 1`)[0] ?? '', / has no field '/)
    t.regex(faultsOf('b', `${name}(1) == 1`)[0] ?? '', /unknown function '/)
    t.regex(faultsOf('b', `start.id.${name}() == 1`)[0] ?? '', /unknown method '/)
    t.regex(faultsOf('b', `steps.${name}.x == 1`)[0] ?? '', /unknown step '/)
  }
})

test('a map has no keys but its own', (t) => {
  for (const name of hostNames) {
    const scope = { start: { ...started, tags: [name], labels: { de: 'Buch' } } }
    t.is(evaluatorOf('b', `has(start.labels['${name}'])`)(scope), false)
    t.is(evaluatorOf('b', 'start.tags[0] in start.labels')(scope), false)
    t.is(evaluatorOf('s', `has(start.labels['${name}']) ? start.labels['${name}'] : 'none'`)(scope), 'none')
    const error = t.throws(() => evaluatorOf('s', 'start.labels[start.tags[0]]')(scope))
    t.regex(error?.message ?? '', new RegExp(`failed: the map has no '${name}'$`))
  }
})

test('a map may have any key', (t) => {
  for (const name of hostNames) {
    const labels = Object.fromEntries([
      [name, 'x'],
      ['de', 'Buch']
    ])
    const scope = { start: { ...started, tags: [name], labels } }
    t.is(evaluatorOf('b', `has(start.labels['${name}'])`)(scope), true)
    t.is(evaluatorOf('b', 'start.tags[0] in start.labels && start.labels == start.labels')(scope), true)
    t.is(evaluatorOf('s', "start.labels[start.tags[0]] + start.labels['d' + 'e']")(scope), 'xBuch')
    t.is(evaluatorOf('s', `has(start.labels['${name}']) ? start.labels['${name}'] : 'none'`)(scope), 'x')
    t.deepEqual(evaluatorOf('labels', 'start.vip ? start.labels : start.labels')(scope), labels)
    t.deepEqual(evaluatorOf('labels', `{'${name}': 'x', 'de': 'Buch'}`)(scope), labels)
  }
})

test('what is walked to in a loop may be missing', (t) => {
  const scope = (labels: Record<string, string>) => ({ start: { ...started, labels } })
  const evaluate = evaluatorOf('texts', "[start].map(s, has(s.labels['a.b']) ? s.labels['a.b'] : 'none')")
  t.deepEqual(evaluate(scope({ 'a.b': 'x' })), ['x'])
  t.deepEqual(evaluate(scope({})), ['none'])
  t.deepEqual(evaluatorOf('texts', "[start].map(s, has(s.place.zip) ? s.place.zip : 'none')")(), ['none'])
})

test('values are equal by what they hold', (t) => {
  const holds = (expression: string): unknown => evaluatorOf('b', expression)()
  t.is(holds('start.blob == start.blob'), true)
  t.is(holds('[1, 2] == [1]'), false)
  t.is(holds('[1, 2] == [1, 3]'), false)
  t.is(holds("{'a': 1} == {'a': 1, 'b': 2}"), false)
  t.is(holds('start.mixed == start.odd'), false)
  t.is(holds('start.lines[0] == start.lines[1]'), false)
  t.is(holds('start.lines[0] in start.lines'), true)
  t.is(holds('has(start.place) && start.place in [start.home]'), false)
})

test('a value that is not of the type of its contract stays as it is', (t) => {
  const scope = { start: { ...started, labels: 5, home: 5 } }
  t.is(evaluatorOf('labels', 'start.vip ? start.labels : start.labels')(scope), 5)
  t.is(evaluatorOf('place', 'start.vip ? start.home : start.home')(scope), 5)
  t.deepEqual(evaluatorOf('items', 'start.lines.filter(l, true)')({ start: { ...started, lines: [5] } }), [5])
  const part = { start: { ...started, home: { city: 'Ulm' } } }
  t.deepEqual(evaluatorOf('place', 'start.vip ? start.home : start.home')(part), { city: 'Ulm' })
})

test('a map that is written in YAML may have any key', (t) => {
  const fields = `{ labels: { __proto__: "'x'", constructor: start.id } }`
  const text = withSteps(`    - { name: a, command: Take, compensate: none, with: ${fields} }\n`)
  const { labels } = load(text).steps[0]!.arguments.evaluate({ start: started })
  t.deepEqual(Object.entries(labels as object), [
    ['__proto__', 'x'],
    ['constructor', 's1']
  ])
})
