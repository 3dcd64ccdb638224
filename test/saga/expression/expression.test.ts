import test from 'ava'
import { isParcomoloError } from '../../../src/base/index.ts'
import { type Scope } from '../../../src/saga/index.ts'
import { evaluatorOf, faultsOf, started, usual } from './stage.ts'

/** field of `Take`: [expression, value] */
const values: Readonly<Record<string, readonly (readonly [string, unknown])[]>> = {
  i: [
    ['5', 5],
    ['-5', -5],
    ['- start.count', -7],
    ['start.count', 7],
    ['(start.count)', 7],
    ["start['count']", 7],
    ['start.count + 1', 8],
    ['start.count - 1 * 2', 5],
    ['start.count / 2', 3],
    ['start.count % 4', 3],
    ['start.lines[1].quantity', 3],
    ['size(start.lines)', 2],
    ['size(start.vip ? start.numbers : [5000000000])', 3],
    ['start.lines.size()', 2],
    ['size(start.id) + size(start.labels)', 3],
    ["start.id.indexOf('1')", 1],
    ["'aba'.lastIndexOf('a')", 2],
    ["'aba'.indexOf('a', 1)", 2],
    ['start.vip ? 1 : 2', 1],
    ['steps.sure.score', 4],
    ["steps['sure'].score", 4],
    ['has(steps.maybe) ? steps.maybe.score : 0', 0],
    ['!has(steps.maybe) ? 0 : steps.maybe.score', 0],
    ['has(steps.maybe) && steps.maybe.score > 1 ? 1 : 2', 2],
    ['!has(steps.maybe) || steps.maybe.score > 1 ? 1 : 2', 1],
    ['has(steps.maybe) && has(start.note) || start.vip ? 1 : 2', 1],
    ['start.limit == null ? 0 : 1', 1],
    ['start.nil != null ? start.nil : 5', 5]
  ],
  l: [
    ['start.total', 5_000_000_000],
    ['5000000000', 5_000_000_000],
    ['9007199254740991', 9_007_199_254_740_991],
    ['start.total * 2 - start.count', 9_999_999_993],
    ["int('42')", 42],
    ['start.limit != null ? start.limit + 1 : 0', 10],
    ['null != start.limit ? start.limit : 0', 9],
    ['has(start.limit) ? start.limit : 0', 9],
    ['has(start.sums.total) ? start.sums.total : 0', 5],
    ["'total' in start.sums ? 1 : 0", 1]
  ],
  d: [
    ['1.5', 1.5],
    ['-1.5', -1.5],
    ['2', 2],
    ['start.count', 7],
    ['start.rate * 2.0 + double(start.share)', 3.5],
    ['double(start.count) / 2.0', 3.5],
    ['start.vip ? start.count : start.rate', 7],
    ['start.vip ? start.share : start.rate', 0.5]
  ],
  f: [
    ['start.share', 0.5],
    ['3', 3]
  ],
  grade: [
    ["start.vip ? 'HIGH' : 'LOW'", 'HIGH'],
    ["start.vip ? 'LOW' : null", 'LOW'],
    ["'MIDDLE'", 'MIDDLE'],
    ["start.vip ? start.level : 'LOW'", 'HIGH'],
    ["start.vip ? 'LOW' : start.level", 'LOW'],
    ["start.vip ? 'LOW' : start.urgency", 'LOW']
  ],
  levels: [
    ["['LOW', 'HIGH']", ['LOW', 'HIGH']],
    ["start.tags.map(t, t == 'x' ? 'LOW' : 'HIGH')", ['LOW', 'HIGH']]
  ],
  graded: [["[{'level': start.vip ? 'LOW' : 'HIGH'}]", [{ level: 'LOW' }]]],
  s: [
    ["start.vip ? 'a' : start.id", 'a'],
    ["(start.vip ? 'a' : 'b') + 'c'", 'ac'],
    ["'x'", 'x'],
    ['"it\'s"', "it's"],
    ["'caf\\u00e9'", 'café'],
    ['start.id', 's1'],
    ['start.level', 'HIGH'],
    ["'order ' + start.id + ': ' + string(start.count)", 'order s1: 7'],
    ['string(start.rate) + string(start.vip)', '1.5true'],
    ['saga.name + saga.key + saga.revision', 'tests1r1'],
    ["start.tags.join('-') + start.tags.join()", 'x-yxy'],
    ["'Abc'.lowerAscii() + 'Abc'.upperAscii() + ' a '.trim()", 'abcABCa'],
    ["'abc'.substring(1) + 'abc'.substring(0, 1)", 'bca'],
    ['start.home.city', 'Ulm'],
    ["has(start.home.zip) ? start.home.zip : 'none'", 'none'],
    ["has(start.place.zip) ? start.place.zip : 'none'", 'none'],
    ["start.place != null && start.place.zip != null ? start.place.zip : 'none'", 'none'],
    ["has(steps.sure.at.zip) ? steps.sure.at.zip : 'none'", '53111'],
    ["has(start.labels['de']) ? start.labels['de'] : 'none'", 'Buch'],
    ["start.labels['d' + 'e']", 'Buch'],
    ["has(start.labels.fr) ? start.labels.fr : 'none'", 'none'],
    ["start.note != null ? start.note : 'none'", 'none'],
    ["{'a': {'b': 'deep'}}.a.b", 'deep'],
    ["{'a': [{'b': 'deep'}]}.a[0].b", 'deep'],
    ["{'a': start.note}.a != null ? 'noted' : 'none'", 'none']
  ],
  b: [
    ['true', true],
    ['start.vip', true],
    ['!start.vip', false],
    ['start.count > 3 && start.count <= 7 || false', true],
    ['start.count > 1.5', true],
    ['start.rate >= 1', true],
    ['start.count == 7.0', true],
    ['start.count != 8', true],
    ["start.id < 't'", true],
    ["start.level == 'HIGH'", true],
    ["'LOW' == start.level", false],
    ['start.level == start.urgency', false],
    ["start.level in ['HIGH', 'LOW']", true],
    ["'x' in start.tags", true],
    ['9 in []', false],
    ["'fr' in start.labels", false],
    ['start.note == null', true],
    ['start.vip == null', false],
    ['start.limit == 9', true],
    ['start.mixed == 4', true],
    ['start.mixed == "4"', false],
    ['start.home == start.place', false],
    ['start.home == start.home', true],
    ['start == start', true],
    ['start.ratio == 0.25', true],
    ["start.tags == ['x', 'y']", true],
    ["start.id.contains('1') && start.id.startsWith('s') && !start.id.endsWith('s')", true],
    ['start.lines.all(l, l.quantity > 1)', true],
    ['start.lines.exists(l, l.quantity > 2)', true],
    ['start.lines.exists_one(l, l.quantity > 2)', true],
    ['start.lines.exists(l, start.lines.exists(m, m.quantity > l.quantity))', true]
  ],
  level: [
    ["'HIGH'", 'HIGH'],
    ['start.urgency', 'LOW']
  ],
  blob: [['start.blob', started.blob]],
  ints: [
    ['start.numbers', started.numbers],
    ['[1, start.count]', [1, 7]],
    ['[]', []],
    ['start.numbers + [4]', [1, 2, 3, 4]],
    ['[] + start.numbers', [1, 2, 3]],
    ['start.numbers.filter(n, n > 1)', [2, 3]],
    ['start.lines.map(l, l.quantity * 2)', [4, 6]],
    ['start.vip ? start.numbers : []', [1, 2, 3]],
    ['[[], start.numbers][1]', [1, 2, 3]]
  ],
  texts: [
    ["'a,b'.split(',')", ['a', 'b']],
    ["'a,b,c'.split(',', 2)", ['a', 'b,c']],
    ["'a,b'.split(',', 5)", ['a', 'b']],
    ["'a,b'.split(',', 0)", []],
    ["'a,b'.split(',', -1)", ['a', 'b']],
    ['start.lines.map(l, l.quantity > 2, l.sku)', ['b']],
    ["start.lines.map(l, has(l.remark) ? l.remark : '-')", ['-', 'gift']],
    ["start.lines.map(l, l['remark'] != null ? l.remark : '-')", ['-', 'gift']],
    ["[{'x': []}, {'x': ['a']}][1].x", ['a']],
    ['has(steps.maybe) ? steps.maybe.notes : start.tags', ['x', 'y']]
  ],
  items: [
    ['start.lines', started.lines],
    [
      "start.lines.map(l, {'sku': l.sku, 'quantity': l.quantity + 1})",
      [
        { sku: 'a', quantity: 3 },
        { sku: 'b', quantity: 4 }
      ]
    ],
    ['start.lines.filter(l, l.quantity > 2)', [{ sku: 'b', quantity: 3 }]]
  ],
  labels: [
    ['start.labels', started.labels],
    ["{'a': 'b'}", { a: 'b' }],
    ["start.vip ? start.labels : {'a': 'b'}", { de: 'Buch' }]
  ],
  sums: [
    ['start.vip ? start.sums : start.sums', { total: 5 }],
    ['has(steps.maybe) ? steps.maybe.sums : steps.sure.sums', { x: 1 }]
  ],
  note: [
    ['null', null],
    ['start.note', null],
    ['start.id', 's1'],
    ["start.vip ? null : 'x'", null]
  ],
  place: [
    ['start.home', started.home],
    ["{'city': start.id}", { city: 's1' }],
    ['has(steps.maybe) ? steps.maybe.at : start.home', { city: 'Ulm', zip: null }],
    ["start.vip ? {'city': 'x'} : start.home", { city: 'x' }],
    ['start.vip ? start.home : start.place', { city: 'Ulm', zip: null }]
  ],
  limit: [['start.limit', 9]],
  ratio: [
    ['start.ratio', 0.25],
    ['start.vip ? 1 : null', 1],
    ['start.vip ? start.ratio : 1', 0.25]
  ],
  mixed: [
    ["start.vip ? 1 : 'x'", 1],
    ["start.vip ? 'x' : 1", 'x']
  ],
  odd: [
    ['start.mixed', 4],
    ['start.vip ? start.odd : start.mixed', null]
  ],
  maybe: [
    ['start.numbers', [1, 2, 3]],
    ['start.vip ? start.numbers : null', [1, 2, 3]]
  ]
}

const evaluates = test.macro({
  exec: (t, field: string, expression: string, expected: unknown) => {
    t.deepEqual(evaluatorOf(field, expression)(), expected)
  },
  title: (_, field: string, expression: string) => `${field}: ${expression} is evaluated`
})

for (const [field, table] of Object.entries(values)) {
  for (const [expression, expected] of table) test(evaluates, field, expression, expected)
}

/** [field of `Take`, expression, place of the character and message] */
const faults: readonly (readonly [string, string, ...string[]])[] = [
  // Syntax
  ['i', '(1', '3 the expression ends too early; something is missing behind it'],
  ['i', 'start.count +', '14 the expression ends too early; something is missing behind it'],
  ['i', '1 2', "3 '2' is not expected here; check the operator or the bracket before it"],
  ['i', 'start.?id', "7 '?' is not expected here; check the operator or the bracket before it"],
  ['b', 'start.count = 7', "13 '=' compares nothing; write '=='"],
  ['b', 'start.vip & true', "11 '&' is no operator; write '&&'"],
  ['b', 'start.vip | true', "11 '|' is no operator; write '||'"],
  ['s', "'a", '1 the text is not closed; its quote is missing at the end'],
  ['i', 'if', "1 'if' is a reserved word of CEL and cannot be a name"],
  ['s', '"\\q"', '2 invalid escape sequence: \\q'],
  ['i', `${'1+'.repeat(300)}1`, '1 the expression is too large; the limit expressionNodesMax is 500 operations'],
  [
    'i',
    `${'('.repeat(60)}1${')'.repeat(60)}`,
    '51 the expression is too large; the limit expressionDepthMax is 50 levels'
  ],
  // Names
  ['b', 'strat.tags.all(tag, tag)', "1 unknown name 'strat'; did you mean 'start'?"],
  ['s', 'strat.id', "1 unknown name 'strat'; did you mean 'start'?"],
  ['s', 'EUR', `1 unknown name 'EUR'; known here: start, saga, steps; a text needs quotes of its own: "'EUR'"`],
  ['s', 'event.id', "1 'event' is not known here: only 'key' reads it; the event that started the saga is 'start'"],
  ['s', 'failure.type', "1 'failure' is not known here: only compensations and 'abort' have a failure"],
  ['i', 'start.cuont', "7 'start' (Started) has no field 'cuont'; did you mean 'count'?"],
  ['s', 'start.home.street', "12 'start.home' (Place) has no field 'street'; it has city, zip"],
  ['s', '{}.a', "4 '{}' (the record written here) has no field 'a'; it has no fields"],
  ['s', 'saga.kye', "6 'saga' has no field 'kye'; did you mean 'key'?"],
  ['i', 'steps.suer.score', "7 unknown step 'suer'; did you mean 'sure'?"],
  ['i', 'steps.payment.score', "7 unknown step 'payment'; the steps are maybe, sure, take"],
  ['i', 'steps', "1 'steps' alone is no value; name a step and a field, such as steps.maybe.…"],
  [
    's',
    'steps.sure.clerk',
    "12 'steps.sure' (Approved or Held) has no field 'clerk'; it has id, score, at, notes, sums"
  ],
  // What may not be there
  [
    'i',
    'steps.maybe.score',
    "7 the reply of step 'maybe' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.maybe) ? steps.maybe.… : …"
  ],
  [
    'i',
    'has(steps.maybe) || steps.maybe.score > 1 ? 1 : 2',
    "27 the reply of step 'maybe' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.maybe) ? steps.maybe.… : …"
  ],
  ['s', 'steps.take.id', "7 the reply of step 'take' is never there here, because it is the step itself"],
  [
    's',
    'start.note',
    '1 the value is null or string, but string is expected; guard it: start.note != null ? start.note : …'
  ],
  ['s', 'start.place.city', "13 'start.place' may be null; guard it: start.place != null ? start.place.city : …"],
  ['l', '1 + start.limit', "5 'start.limit' may be null; guard it: start.limit != null ? … : …"],
  ['l', 'start.limit + 1', "1 'start.limit' may be null; guard it: start.limit != null ? … : …"],
  ['b', 'start.limit > 1', "1 'start.limit' may be null; guard it: start.limit != null ? … : …"],
  ['l', '-start.limit', "2 'start.limit' may be null; guard it: start.limit != null ? … : …"],
  ['i', 'size(start.note)', "6 'start.note' may be null; guard it: start.note != null ? … : …"],
  ['b', '1 in start.limit', "6 'start.limit' may be null; guard it: start.limit != null ? … : …"],
  ['s', 'start.note[0]', "1 'start.note' may be null; guard it: start.note != null ? … : …"],
  ['s', 'start.labels.de', "14 the map may have no 'de'; guard it: has(start.labels.de) ? start.labels.de : …"],
  [
    'texts',
    'start.lines.map(l, l.remark)',
    "1 the value is null or string at '[]', but string is expected; guard it: … != null ? … : …"
  ],
  [
    's',
    '(start.vip ? start.labels : start.labels).de',
    "43 the map may have no 'de'; guard it: has((start.vip ? start.labels : start.labels).de) ? (start.vip ? start.labels : start.labels).de : …"
  ],
  [
    's',
    "(start.vip ? start.home : {'city': 'x'}).zip",
    "42 'start.vip ? start.home : {'city': 'x'}' (Place) has no field 'zip'; it has city"
  ],
  // Operators
  ['d', 'start.rate * 2', "1 '*' does not take double and int; write double(2)"],
  ['d', 'start.count + start.rate', "1 '+' does not take int and double; write double(start.count)"],
  ['d', 'start.rate % 2.0', "1 '%' does not take double and double; 'start.rate' is double, '2.0' is double"],
  ['s', 'start.id + start.count', "1 '+' does not take string and int; write string(start.count)"],
  ['s', 'start.count + start.id', "1 '+' does not take int and string; write string(start.count)"],
  ['i', 'start.id - 1', "1 '-' does not take string and int; write string(1)"],
  ['b', 'start.vip < true', "1 '<' does not take boolean and boolean; 'start.vip' is boolean, 'true' is boolean"],
  ['b', '!start.count', "1 '!' takes a boolean; 'start.count' is int"],
  ['i', '-start.id', "1 '-' takes a number; 'start.id' is string"],
  ['b', 'start.count && true', "1 '&&' takes booleans; 'start.count' is int"],
  ['b', 'true || start.id', "9 '||' takes booleans; 'start.id' is string"],
  ['i', 'start.count ? 1 : 2', "1 the condition before '?' is int; it must be a boolean"],
  ['b', 'start.level == 5', "1 '==' compares Level with int, which are never equal"],
  ['b', "start.level == 'HUGH'", "1 'HUGH' is no symbol of Level; did you mean 'HIGH'?"],
  ['b', "'URGENT' != start.level", "1 'URGENT' is no symbol of Level; it has LOW, MIDDLE, HIGH"],
  ['b', '5 in start.tags', "1 'in' looks for int in a list of string, where it never is"],
  ['b', '5 in 6', "6 'in' looks into a list or a map; '6' is int".replace('6 ', '1 ')],
  // Indexes and literals
  ['s', "start.lines['a'].sku", "1 'start.lines' is list of Line, which has no field 'a'"],
  [
    's',
    'start.lines[start.id].sku',
    "1 'start.lines' is list of Line, which has no item 'start.id'; a list takes a number, a map a text"
  ],
  ['i', '[][0]', "1 the list '[]' is always empty"],
  ['i', '5u', "1 '5u' is of a kind that contracts do not have: unsigned numbers cannot be written out"],
  ['blob', "b'x'", "1 'b'x'' is of a kind that contracts do not have: bytes cannot be written out"],
  ['l', '9007199254740992', "1 '9007199254740992' is too large; whole numbers go up to 9007199254740991"],
  ['place', '{start.id: 1}', "2 'start.id' cannot be a key; write a text in quotes, such as {'sku': l.sku}"],
  ['place', "{'city': 'a', 'city': 'b'}", "15 the key 'city' cannot stand here twice"],
  // Functions and loops
  ['i', 'sise(start.id)', "1 unknown function 'sise'; did you mean 'size'?"],
  ['i', 'length(start.id)', "1 unknown function 'length'; there are size, string, int, double, has"],
  [
    'b',
    "start.id.matches('s')",
    "1 'matches' is left out, because nothing bounds the time that a pattern takes; use contains, startsWith or endsWith"
  ],
  ['b', "start.id.startWith('s')", "1 unknown method 'startWith'; did you mean 'startsWith'?"],
  [
    'l',
    'timestamp(start.id)',
    "1 'timestamp' is left out; a time is a number of milliseconds in contracts, so compare numbers"
  ],
  ['i', 'size(start.count)', "1 'size(start.count)' cannot be computed; 'size' does not take int"],
  ['i', 'size()', "1 'size()' cannot be computed; 'size' does not take nothing"],
  ['i', 'has(steps) ? 1 : 2', "1 'has' takes one field, such as has(steps.payment) or has(start.voucher)"],
  ['i', 'has() ? 1 : 2', "1 'has' takes one field, such as has(steps.payment) or has(start.voucher)"],
  ['b', 'has(start.id, start.id)', "1 'has' takes one field, such as has(steps.payment) or has(start.voucher)"],
  ['b', 'has(start.lines[0].sku)', "1 'has' takes one field, such as has(steps.payment) or has(start.voucher)"],
  ['ints', 'start.count.map(n, n)', "1 'map' goes through a list; 'start.count' is int"],
  ['ints', '[].map(n, n)', "1 the list '[]' is always empty"],
  ['ints', 'start.numbers.map(n)', "1 'map' takes a variable and an expression: lines.map(l, …)"],
  ['ints', 'start.numbers.map(start, 1)', "19 'start' has a meaning here already; choose another variable"],
  ['ints', 'start.numbers.map(event, 1)', "19 'event' has a meaning here already; choose another variable"],
  ['ints', 'start.numbers.map(steps, 1)', "19 'steps' has a meaning here already; choose another variable"],
  [
    'ints',
    'start.numbers.map(n, start.numbers.map(n, 1)[0])',
    "40 'n' has a meaning here already; choose another variable"
  ],
  ['ints', 'start.numbers.filter(n, n)', "25 the condition of 'filter' is int; it must be a boolean"],
  [
    'ints',
    'start.numbers.map(a, start.numbers.map(b, start.numbers.map(c, 1)[0])[0])',
    '43 too many loops inside each other; the limit loopNestingMax is 2 loops inside each other'
  ],
  // Types that do not fit
  ['s', 'start.count', '1 the value is int, but string is expected; write string(start.count)'],
  ['i', 'start.total', '1 the value is long, but int is expected'],
  ['i', '2147483648', '1 the value is long, but int is expected'],
  ['f', 'start.rate', '1 the value is double, but float is expected'],
  ['level', "'HUGH'", "1 'HUGH' is no symbol of Level; did you mean 'HIGH'?"],
  ['level', 'start.id', '1 the value is string, but Level is expected'],
  ['level', "start.vip ? 'LOW' : 'HUGH'", "1 'HUGH' is no symbol of Level; did you mean 'HIGH'?"],
  ['level', 'start.vip ? start.id : start.home.city', '1 the value is string, but Level is expected'],
  ['level', "start.vip ? 'LOW' : start.id", '1 the value is string, but Level is expected'],
  ['grade', "'HUGH'", "1 'HUGH' is no symbol of Level; did you mean 'HIGH'?"],
  ['levels', "['LOW', 'HUGH']", "1 'HUGH' is no symbol of Level; did you mean 'HIGH'? at '[]'"],
  ['b', "(start.vip ? 'HUGH' : 'LOW') == start.level", "2 'HUGH' is no symbol of Level; did you mean 'HIGH'?"],
  ['urgency', 'start.level', '1 the value is Level, but Urgency is expected'],
  ['b', 'start.vip ? start.count : false', '1 the value is int or boolean, but boolean is expected'],
  [
    'mixed',
    'start.odd',
    '1 the value is null or int or string, but int or string is expected; guard it: start.odd != null ? start.odd : …'
  ],
  ['i', 'start', '1 the value is Started, but int is expected'],
  ['items', "start.lines.map(l, {'sku': l.sku})", "1 the value is nothing at '[].quantity', but int is expected"],
  [
    'items',
    "start.lines.map(l, {'sku': l.quantity, 'quantity': 1})",
    "1 the value is int at '[].sku', but string is expected; write string(…)"
  ],
  ['place', "{'zip': null}", "1 the value is nothing at '.city', but string is expected"],
  ['labels', "{'a': 1}", "1 the value is int at '.a', but string is expected; write string(…)"],
  ['labels', 'start.sums', "1 the value is long at '.*', but string is expected; write string(…)"],
  ['labels', 'start.tags', '1 the value is list of string, but map of string is expected'],
  ['maybe', 'start.tags', "1 the value is string at '[]', but int is expected"],
  ['ints', '[1, start.id]', "1 the value is int or string at '[]', but int is expected"],
  ['odd', 'start.rate', '1 the value is double, but null or int or string is expected']
]

const refuses = test.macro({
  exec: (t, field: string, expression: string, expected: readonly string[]) => {
    t.deepEqual(faultsOf(field, expression), expected)
  },
  title: (_, field: string, expression: string) => `${field}: ${expression.slice(0, 80)} is refused`
})

for (const [field, expression, ...expected] of faults) test(refuses, field, expression, expected)

test('every fault of an expression is reported, but no fault that follows from another', (t) => {
  t.deepEqual(faultsOf('i', 'size(start.idd) + size(steps.sure.clrk) + foo(start.vip.x)'), [
    "12 'start' (Started) has no field 'idd'; did you mean 'id'?",
    "35 'steps.sure' (Approved or Held) has no field 'clrk'; it has id, score, at, notes, sums",
    "43 unknown function 'foo'; there are size, string, int, double, has",
    "47 'start.vip' is boolean, which has no field 'x'"
  ])
  t.deepEqual(faultsOf('b', 'foo[0] == bar || [baz].exists(x, x > 1) && !(zip) && (a ? b : c).d'), [
    `1 unknown name 'foo'; known here: start, saga, steps; a text needs quotes of its own: "'foo'"`,
    `11 unknown name 'bar'; known here: start, saga, steps; a text needs quotes of its own: "'bar'"`,
    `19 unknown name 'baz'; known here: start, saga, steps; a text needs quotes of its own: "'baz'"`,
    `46 unknown name 'zip'; known here: start, saga, steps; a text needs quotes of its own: "'zip'"`,
    `55 unknown name 'a'; known here: start, saga, steps; a text needs quotes of its own: "'a'"`,
    `59 unknown name 'b'; known here: start, saga, steps; a text needs quotes of its own: "'b'"`,
    `63 unknown name 'c'; known here: start, saga, steps; a text needs quotes of its own: "'c'"`
  ])
})

/** [field, expression, scope, message after the place] */
const failures: readonly (readonly [string, string, Scope, string])[] = [
  ['i', 'start.count / (start.count - 7)', usual, 'division by zero'],
  ['i', 'start.lines[9].quantity', usual, 'index 9 is out of range; the list has 2 items'],
  ['s', 'start.labels[start.id]', usual, "the map has no 's1'"],
  ['i', 'start.count * 1000000000', usual, '7000000000 is out of range; the field takes -2147483648 to 2147483647'],
  [
    'l',
    'start.total * 10000000',
    usual,
    '50000000000000000 is out of range; the field takes -9007199254740991 to 9007199254740991'
  ],
  [
    'i',
    'size(start.lines)',
    { start: { lines: Array(1001).fill({}) } },
    'a list has 1001 items; the limit listItemsMax is 1000 items'
  ],
  [
    'ints',
    'start.numbers + start.numbers',
    { start: { numbers: Array(501).fill(1) } },
    'a list has 1002 items; the limit listItemsMax is 1000 items'
  ],
  [
    'texts',
    "start.id.split('')",
    { start: { id: 'x'.repeat(1001) } },
    'a list has 1001 items; the limit listItemsMax is 1000 items'
  ],
  [
    's',
    "start.tags.join(', ')",
    { start: { tags: Array(1000).fill('x'.repeat(99)) } },
    'a text has 101000 characters; the limit textCharsMax is 100000 characters'
  ],
  [
    'i',
    'steps.sure.score + 1',
    { steps: {} },
    "'steps.sure.score' has no value of the type that its contract gives it"
  ],
  [
    'l',
    'start.count + start.total',
    { start: { count: {}, total: 1 } },
    "'start.count' has no value of the type that its contract gives it"
  ],
  [
    'i',
    'start.count + 1',
    { start: { count: 0.5 } },
    'The number 0.5 cannot be converted to a BigInt because it is not an integer'
  ]
]

for (const [field, expression, scope, message] of failures) {
  test(`${field}: ${expression} fails with: ${message}`, (t) => {
    const error = t.throws(() => evaluatorOf(field, expression)(scope))
    t.true(isParcomoloError(error, 'PARCOMOLO_SAGA_EXPRESSION_FAILED'))
    t.is(
      error?.message,
      `s.yaml:13:${10 + field.length + 1} steps[2].with.${field}: the expression '${expression}' failed: ${message}`
    )
  })
}

test('a walk that meets nothing fails with its name', (t) => {
  for (const scope of [{}, { start: {} }]) {
    const error = t.throws(() => evaluatorOf('s', 'start.id')(scope))
    t.is(error?.message, "s.yaml:13:12 steps[2].with.s: 'start.id' has no value")
  }
  const error = t.throws(() => evaluatorOf('s', 'start.home.city')({ start: { home: null } }))
  t.is(error?.message, "s.yaml:13:12 steps[2].with.s: 'start.home.city' has no value")
})
