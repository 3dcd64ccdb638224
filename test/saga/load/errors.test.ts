import test from 'ava'
import { isParcomoloError } from '../../../src/base/index.ts'
import { errorsOf, lines, load, saga, withSteps } from './fixture.ts'

/** A step that is right, to stand beside those that are wrong. */
const good = `    - { name: good, command: Ship, compensate: none, with: { id: start.id } }\n`

const refuse = (command: string, more: string): string => `    - { name: x, command: ${command}, ${more} }\n`

const header = 'apiVersion: parcomolo.io/v1alpha1\nkind: Saga\nmetadata: { name: test }\n'

type Case = readonly [title: string, text: string, ...errors: readonly string[]]

const files: readonly Case[] = [
  ['an empty file', '', "s.yaml:1:1: the file is empty; a saga begins with 'apiVersion'"],
  [
    'a file of comments',
    '\uFEFF# nothing\n\n  # here\n',
    "s.yaml:1:1: the file is empty; a saga begins with 'apiVersion'"
  ],
  ['a text', 'hello\n', "s.yaml:1:1: found 'hello'; a saga is a map with 'apiVersion', 'kind', 'metadata' and 'spec'"],
  ['a list', '- a\n', "s.yaml:1:1: found a list; a saga is a map with 'apiVersion', 'kind', 'metadata' and 'spec'"],
  [
    'nothing but the separator',
    '---\n',
    "s.yaml:1:4: found nothing; a saga is a map with 'apiVersion', 'kind', 'metadata' and 'spec'"
  ],
  ['a binary file', 'a\u0000b', 's.yaml:1:1: the file holds a zero byte; a saga is a YAML file in UTF-8'],
  [
    'a huge file',
    `# ${'x'.repeat(262_144)}`,
    's.yaml:1:1: the file has 262146 characters, but the limit fileCharsMax is 262144 characters; split it into several sagas'
  ],
  [
    'two documents',
    `${withSteps(good)}---\na: 1\n`,
    "s.yaml:8:1: a second document begins with '---'; a file holds one saga, so move it to a file of its own"
  ],
  [
    'a key that stands twice',
    withSteps(good, '  deadline: 1h\n  deadline: 2h\n'),
    "s.yaml:9:3 deadline: the key 'deadline' stands twice in the same map; keep one of the two"
  ],
  [
    'a tab',
    saga('\tstart: {}\n'),
    's.yaml:5:1: a tab stands where the line is indented; YAML is indented with spaces only'
  ],
  ['a list as a key', '? [a]\n: 1\n', 's.yaml:1:3: a key must be a word, not a list, a map or an alias'],
  ['a tag', 'kind: !saga order\n', "s.yaml:1:7: tags have no meaning in a saga; leave '!saga' out"],
  [
    'a line that is indented wrongly',
    'a:\n  b: 1\n c: 2\n',
    's.yaml:3:1: the YAML is broken: all mapping items must start at the same column'
  ],
  ['an alias as a key', 'a: &x b\n*x : 1\n', 's.yaml:2:1: a key must be a word, not a list, a map or an alias'],
  ['a quote that is not closed', 'kind: "Saga\n', 's.yaml:2:1: the closing quote of a value before this is missing'],
  [
    'a list with an expression that has brackets',
    withSteps(`    - { name: a, with: { items: [start.lines[0]] } }\n`),
    "s.yaml:7:45: '[' is not expected here; put an expression that begins with a quote, or contains { or [, in quotes as a whole"
  ],
  [
    'a key over several lines',
    '? |\n  a\n  b\n: 1\n',
    "s.yaml:1:1: 'apiVersion', 'kind', 'metadata' and 'spec' are missing; a saga needs 'apiVersion', 'kind', 'metadata' and 'spec'",
    "s.yaml:1:3 a b : unknown key 'a b '; a saga has 'apiVersion', 'kind', 'metadata', 'spec' and 'status'"
  ],
  ['a reserved character', 'kind: @Saga\n', "s.yaml:1:7: a value cannot begin with '@'; put it in quotes"],
  [
    'an expression with a colon in a block',
    withSteps('    - name: a\n      when: start.vip ? true : false\n'),
    "s.yaml:8:13: a second ': ' stands in this value; put an expression that contains ': ' in quotes"
  ],
  [
    'an expression with a colon in braces',
    withSteps(refuse('Ship', 'with: { id: start.vip ? start.id : saga.key }')),
    "s.yaml:7:45: a second ': ' stands in this value; put an expression that contains ': ' in quotes"
  ],
  [
    'an expression that begins with a quote',
    withSteps("    - name: a\n      when: 'a' == start.id\n"),
    "s.yaml:8:17: '== start.id' is not expected here; put an expression that begins with a quote, or contains { or [, in quotes as a whole"
  ],
  [
    'an alias without an anchor',
    `${header}spec: *spec\n`,
    "s.yaml:4:7 spec: the alias '*spec' has no anchor '&spec' before it",
    "s.yaml:4:7: found nothing; 'spec' is a map with 'start' and 'steps'"
  ]
]

const forms: readonly Case[] = [
  [
    'a wrong header',
    'apiVersion: v1\nkind: Sagaa\nmetadata: { name: My_Saga, nmae: x }\nspec: {}\n',
    "s.yaml:1:13 apiVersion: 'v1' is not known here; expected 'parcomolo.io/v1alpha1'",
    "s.yaml:2:7 kind: 'Sagaa' is not known here; expected 'Saga'",
    "s.yaml:3:19 metadata.name: 'My_Saga' cannot name a saga; a name has up to 63 of a-z, 0-9 and '-', begins with a letter and does not end with '-'",
    "s.yaml:3:28 metadata.nmae: unknown key 'nmae'; did you mean 'name'?",
    "s.yaml:4:7: 'start' and 'steps' are missing; 'spec' needs 'start' and 'steps'"
  ],
  [
    'a missing header',
    'kind: Saga\n',
    "s.yaml:1:1: 'apiVersion', 'metadata' and 'spec' are missing; a saga needs 'apiVersion', 'kind', 'metadata' and 'spec'"
  ],
  [
    'metadata that is no map',
    `apiVersion: parcomolo.io/v1alpha1\nkind: Saga\nmetadata: order\nspec: 5\n`,
    "s.yaml:3:11 metadata: found 'order'; 'metadata' is a map with 'name'",
    "s.yaml:4:7: found '5'; 'spec' is a map with 'start' and 'steps'"
  ],
  [
    'a name that is no text',
    `apiVersion: parcomolo.io/v1alpha1\nkind: Saga\nmetadata: { name: [a] }\nspec: { start: { on: 5, key: [] }, steps: { a: 1 } }\n`,
    "s.yaml:3:19 metadata.name: found a list; expected the saga's name",
    "s.yaml:4:22 start.on: found '5'; expected the name of an event",
    `s.yaml:4:30 start.key: found an empty list; expected an expression in CEL, such as start.orderId, or "'some text'"`,
    "s.yaml:4:43 steps: found a map; 'steps' lists at least one step"
  ],
  [
    'what the language does not have yet',
    saga(
      '  start: { on: Started, key: event.id }\n  lock: event.id\n  steps:\n    - { forEach: start.lines, steps: [] }\n    - { wait: approval }\n    - { name: a, command: Ship, compensate: none, with: { id: start.id }, lock: start.id }\n'
    ),
    "s.yaml:6:3 lock: 'lock' is not supported yet; this release knows 'start', 'steps', 'cancel', 'deadline', 'complete' and 'abort' here",
    "s.yaml:8:7 steps[0]: 'forEach' is not supported yet; this release knows steps with a 'command', and 'parallel'",
    "s.yaml:9:7 steps[1]: 'wait' is not supported yet; this release knows steps with a 'command', and 'parallel'",
    "s.yaml:10:75 steps[2].lock: 'lock' is not supported yet; this release knows 'name', 'command', 'with', 'when', 'timeout', 'within', 'retry', 'onUnknown', 'onRejection', 'compensate', 'pivot' and 'until' here"
  ],
  [
    'a misspelt start',
    saga(
      lines(
        '  start: { on: Started, kye: event.id, foo: 1 }',
        '  cancel: Stopped',
        '  complete: { emti: Finished }',
        '  abort: now',
        '  deadine: 1h',
        '  steps:',
        `${good}`
      )
    ),
    "s.yaml:5:10 start: 'key' is missing; 'start' needs 'on' and 'key'",
    "s.yaml:5:25 start.kye: unknown key 'kye'; did you mean 'key'?",
    "s.yaml:5:40 start.foo: unknown key 'foo'; 'start' has 'on', 'key' and 'compensate'",
    "s.yaml:6:11 cancel: found 'Stopped'; 'cancel' is a map with 'on' and 'key'",
    "s.yaml:7:13 complete: 'emit' is missing; 'complete' needs 'emit'",
    "s.yaml:7:15 complete.emti: unknown key 'emti'; did you mean 'emit'?",
    "s.yaml:8:10 abort: found 'now'; 'abort' is a map with 'emit'",
    "s.yaml:9:3 deadine: unknown key 'deadine'; did you mean 'deadline'?"
  ],
  [
    'broken values of a step',
    withSteps(
      lines(
        '    - name: 1st',
        '      command: Ship',
        '      compensate: undo',
        '      timeout: 5',
        '      retry: { attempts: 0, backoff: 0ms, cap: 8d, factor: 11, jitter: -1, pause: 5s }',
        '      onUnknown: foo',
        '      onRejection: retry',
        '      pivot: yes',
        '      when: 5',
        '      with: [1]',
        "      until: ''"
      )
    ),
    "s.yaml:7:13 steps[0].name: '1st' cannot name a step; a name has up to 63 of a-z, A-Z, 0-9 and '-', and begins with a small letter",
    "s.yaml:9:19 steps[0].compensate: found 'undo'; write { command: …, with: {…} }, or none where there is nothing to undo",
    "s.yaml:10:16 steps[0].timeout: '5' is no duration; write a number with its unit: 250ms, 5s, 2m, 1h or 7d",
    "s.yaml:11:26 steps[0].retry.attempts: '0' is no number of attempts; expected a whole number from 1, the first attempt included",
    "s.yaml:11:38 steps[0].retry.backoff: '0ms' is too short; at least 1ms",
    "s.yaml:11:48 steps[0].retry.cap: '8d' is too long; the limit pauseMsMax is 7d",
    "s.yaml:11:60 steps[0].retry.factor: '11' is out of range; expected a number from 1 to 10",
    "s.yaml:11:72 steps[0].retry.jitter: '-1' is out of range; expected a number from 0 to 1",
    "s.yaml:11:76 steps[0].retry.pause: unknown key 'pause'; 'retry' has 'attempts', 'backoff', 'factor', 'cap' and 'jitter'",
    "s.yaml:12:18 steps[0].onUnknown: 'foo' is not one of the choices; expected 'retry', 'compensate' or 'park'",
    "s.yaml:13:20 steps[0].onRejection: 'retry' is not one of the choices; expected 'compensate' or 'park'",
    "s.yaml:14:14 steps[0].pivot: 'yes' is neither true nor false",
    's.yaml:15:13 steps[0].when: the value is int, but boolean is expected',
    "s.yaml:16:13 steps[0].with: found a list; 'with' is a map that gives each field an expression: { orderId: start.orderId }",
    "s.yaml:17:14 steps[0].until: found ''; expected the name of an event"
  ],
  [
    'more broken values of a step',
    withSteps(
      lines(
        '    - name: start',
        '      command: Ship',
        '      compensate: { cmd: Release, with: }',
        '      retry: { attempts: 1001, backoff: 5s, cap: 1s }',
        '      timeout: 1w',
        `      with: { id: , to: " ${'x'.repeat(2000)}" }`,
        '    - name: b',
        '      command: Ship',
        '      retry: often',
        '      compensate: [none]',
        '      with: { id: .nan, to: 12345678901234567890 }',
        '    - 5'
      )
    ),
    "s.yaml:7:13 steps[0].name: 'start' names the beginning of the saga; choose another name",
    "s.yaml:9:19 steps[0].compensate: 'command' is missing; 'compensate' needs 'command'",
    "s.yaml:9:21 steps[0].compensate.cmd: unknown key 'cmd'; 'compensate' has 'command', 'with', 'timeout', 'within', 'retry' and 'onRejection'",
    "s.yaml:9:41 steps[0].compensate.with: found nothing; 'with' is a map that gives each field an expression: { orderId: start.orderId }",
    "s.yaml:10:26 steps[0].retry.attempts: '1001' is too many; the limit attemptsMax is 1000 attempts",
    "s.yaml:10:50 steps[0].retry.cap: the cap of 1s is below the first backoff of 5s; raise 'cap' or lower 'backoff'",
    "s.yaml:11:16 steps[0].timeout: '1w' is no duration; write a number with its unit: 250ms, 5s, 2m, 1h or 7d",
    `s.yaml:12:19 steps[0].with.id: found nothing; expected an expression in CEL, such as start.orderId, or "'some text'"`,
    's.yaml:12:25 steps[0].with.to: the expression has 2001 characters; the limit expressionCharsMax is 2000 characters',
    "s.yaml:15:14 steps[1].retry: found 'often'; 'retry' is a map",
    "s.yaml:16:19 steps[1].compensate: found a list; 'compensate' is a map with 'command'",
    `s.yaml:17:19 steps[1].with.id: found '.nan'; expected an expression in CEL, such as start.orderId, or "'some text'"`,
    "s.yaml:17:29 steps[1].with.to: '12345678901234567890' is too large; whole numbers go up to 9007199254740991",
    "s.yaml:18:7 steps[2]: found '5'; a step is a map with 'name' and 'command'"
  ],
  [
    'a step without a name',
    withSteps('    - { command: Ship, compensatte: none, with: { id: start.id } }\n'),
    "s.yaml:7:7 steps[0]: 'name' is missing; a step needs 'name' and 'command'",
    "s.yaml:7:7 steps[0]: the step does not say how it is undone, as every step in a saga without a pivot must; add 'compensate: { command: …, with: {…} }', or 'compensate: none' where it has no effect",
    "s.yaml:7:24 steps[0].compensatte: unknown key 'compensatte'; did you mean 'compensate'?"
  ],
  [
    'broken parallel nodes',
    withSteps(
      lines(
        '    - { parallel: [], name: p }',
        '    - { steps: [a] }',
        '    - parallel: [{ steps: [], name: q }, 5, { steps: 5 }]'
      )
    ),
    "s.yaml:7:19 steps[0].parallel: found an empty list; 'parallel' lists its branches: steps, or { steps: [...] }",
    "s.yaml:7:23 steps[0].name: unknown key 'name'; a parallel node has 'parallel'",
    "s.yaml:8:7 steps[1]: 'steps' inside 'steps' has no meaning; only a branch of 'parallel' may be { steps: [...] }",
    "s.yaml:9:27 steps[2].parallel[0].steps: found an empty list; 'steps' lists at least one step",
    "s.yaml:9:31 steps[2].parallel[0].name: unknown key 'name'; a branch has 'steps'",
    "s.yaml:9:42 steps[2].parallel[1]: found '5'; a step is a map with 'name' and 'command'",
    "s.yaml:9:54 steps[2].parallel[2].steps: found '5'; 'steps' lists at least one step"
  ],
  [
    'too many steps',
    withSteps(Array.from({ length: 101 }, (_, i) => good.replace('good', `s${i}`)).join('')),
    's.yaml:5:3: the saga has 101 steps; the limit stepsMax is 100 steps'
  ],
  [
    'too many branches',
    withSteps(
      `    - parallel: [${Array.from({ length: 21 }, (_, i) => `{ name: s${i}, command: Ship, compensate: none, with: { id: start.id } }`).join(', ')}]\n`
    ),
    "s.yaml:7:17 steps[0].parallel: 'parallel' has 21 branches; the limit parallelWidthMax is 20 branches"
  ],
  [
    'parallel nodes nested too deep',
    withSteps(`    - ${'parallel: [{ steps: [{ '.repeat(5)}name: x${' }] }]'.repeat(5)}\n`),
    "s.yaml:7:109 steps[0].parallel[0].steps[0].parallel[0].steps[0].parallel[0].steps[0].parallel[0].steps[0].parallel: 'parallel' is nested too deep; the limit nestingMax is 4 levels of parallel"
  ],
  [
    'names that are too long, and records of too many fields',
    withSteps(
      lines(
        `    - { name: a, command: ${'C'.repeat(513)}, compensate: none, with: { id: start.id } }`,
        `    - name: b`,
        '      command: Take',
        '      compensate: none',
        `      with: { labels: { ${Array.from({ length: 1001 }, (_, i) => `l${i}: start.id`).join(', ')} } }`
      )
    ),
    `s.yaml:7:27 steps[0].command: '${'C'.repeat(57)}...' has 513 characters; expected the name of a command, and the limit referenceCharsMax is 512 characters`,
    's.yaml:11:23 steps[1].with.labels: the record has 1001 fields; the limit fieldsMax is 1000 fields'
  ],
  [
    'values nested too deep',
    withSteps(refuse('Ship', `compensate: none, with: { id: ${'['.repeat(11)}${']'.repeat(11)} }`)),
    's.yaml:7:63 steps[0].with.id: a list stands here, but string is expected',
    's.yaml:7:72 steps[0].with.id[0][0][0][0][0][0][0][0][0]: the value is nested too deep; the limit valueDepthMax is 10 levels'
  ]
]

const names: readonly Case[] = [
  [
    'unknown names in keys, and after the pivot',
    saga(`  start: { on: Started, key: evnt.id }
  complete: { emit: Empty, with: { id: steps } }
  steps:
    - { name: p, command: Ship, pivot: true, with: { id: start.id, to: ' ' } }
    - { name: a, command: Foo, with: { id: start.id }, retry: { backoff: ${'x'.repeat(70)} } }\n`),
    `s.yaml:5:30 start.key: unknown name 'evnt'; did you mean 'event'?`,
    "s.yaml:6:36 complete.with.id: Empty has no field 'id'; it has none",
    "s.yaml:6:40 complete.with.id: 'steps' alone is no value; name a step and a field, such as steps.p.…",
    `s.yaml:8:72 steps[0].with.to: found ' '; expected an expression in CEL, such as start.orderId, or "'some text'"`,
    "s.yaml:9:27 steps[1].command: unknown command 'Foo'; expected one of 'Reserve', 'Release', 'Assess', 'Ship', 'Take', 'Charge', 'Refund'",
    "s.yaml:9:74 steps[1].retry.backoff: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is no duration; write a number with its unit: 250ms, 5s, 2m, 1h or 7d"
  ],
  [
    "a wrong 'steps' where there is no step",
    saga('  start: { on: Started, key: foo }\n  complete: { emit: Finished, with: { id: steps } }\n  steps: []\n'),
    `s.yaml:5:30 start.key: unknown name 'foo'; known here: event; a text needs quotes of its own: "'foo'"`,
    "s.yaml:6:43 complete.with.id: 'steps' alone is no value; name a step and a field, such as steps.payment.…",
    "s.yaml:7:10 steps: found an empty list; 'steps' lists at least one step"
  ],
  [
    'unknown names',
    saga(
      lines(
        '  start: { on: Startd, key: event.id }',
        '  cancel: { on: bank.Setled, key: event.id }',
        '  complete: { emit: Finishd, with: { id: saga.key } }',
        '  steps:',
        '    - { name: a, command: Shp, compensate: { command: Releese, with: { id: stort.id } }, with: { id: start.id } }',
        '    - { name: a, command: Ship, compensate: none, until: Arived, with: { id: start.id, too: start.id } }',
        '    - { name: b, command: Foo, compensate: none, until: Arrived }'
      )
    ),
    "s.yaml:5:16 start.on: unknown event 'Startd'; did you mean 'Started'?",
    "s.yaml:6:17 cancel.on: unknown event 'bank.Setled'; did you mean 'bank.Settled'?",
    "s.yaml:7:21 complete.emit: unknown event 'Finishd'; did you mean 'Finished'?",
    "s.yaml:9:27 steps[0].command: unknown command 'Shp'; did you mean 'Ship'?",
    "s.yaml:9:55 steps[0].compensate.command: unknown command 'Releese'; did you mean 'Release'?",
    `s.yaml:9:76 steps[0].compensate.with.id: unknown name 'stort'; did you mean 'start'?`,
    "s.yaml:10:15 steps[1].name: a second step is called 'a'; a name stands for one step",
    "s.yaml:10:58 steps[1].until: unknown event 'Arived'; did you mean 'Arrived'?",
    "s.yaml:10:88 steps[1].with.too: Ship has no field 'too'; did you mean 'to'?",
    "s.yaml:11:27 steps[2].command: unknown command 'Foo'; expected one of 'Reserve', 'Release', 'Assess', 'Ship', 'Take', 'Charge', 'Refund'"
  ],
  [
    'missing fields',
    withSteps(
      lines(
        '    - { name: a, command: Charge, compensate: { command: Refund } }',
        '    - { name: b, command: Charge, compensate: none, with: { id: start.id } }'
      )
    ),
    "s.yaml:7:7 steps[0]: Charge needs 'id' (string), 'cents' (long); add them to 'with'",
    "s.yaml:7:47 steps[0].compensate: Refund needs 'id' (string); add it to 'with'",
    "s.yaml:8:59 steps[1].with: Charge needs 'cents' (long); add it to 'with'"
  ],
  [
    'fields of written-out records',
    withSteps(`    - name: a
      command: Take
      compensate: none
      with:
        place: { zipp: null }
        items: [{ sku: start.id }, "start.lines[0]", { sku: 5, quantity: 5, more: 1 }, [1]]
        labels: { a: 1, b: start.id }
        maybe: { a: 1 }
        i: [1]
    - { name: b, command: Assess, compensate: none, with: { id: start.id, foo: { a: startt }, bar: [startt] } }
`),
    "s.yaml:11:16 steps[0].with.place: Place needs 'city' (string); add it to 'with'",
    "s.yaml:11:18 steps[0].with.place.zipp: Place has no field 'zipp'; did you mean 'zip'?",
    "s.yaml:12:17 steps[0].with.items[0]: Item needs 'quantity' (int); add it to 'with'",
    's.yaml:12:61 steps[0].with.items[2].sku: the value is int, but string is expected; write string(5)',
    "s.yaml:12:77 steps[0].with.items[2].more: Item has no field 'more'; it has 'sku' and 'quantity'",
    's.yaml:12:88 steps[0].with.items[3]: a list stands here, but Item is expected',
    's.yaml:13:22 steps[0].with.labels.a: the value is int, but string is expected; write string(1)',
    's.yaml:14:16 steps[0].with.maybe: a map stands here, but null or list of int is expected',
    's.yaml:15:12 steps[0].with.i: a list stands here, but int is expected',
    "s.yaml:16:75 steps[1].with.foo: Assess has no field 'foo'; it has 'id'",
    "s.yaml:16:85 steps[1].with.foo.a: unknown name 'startt'; did you mean 'start'?",
    "s.yaml:16:95 steps[1].with.bar: Assess has no field 'bar'; it has 'id'",
    "s.yaml:16:101 steps[1].with.bar[0]: unknown name 'startt'; did you mean 'start'?"
  ],
  [
    'a record that has no fields',
    saga(
      `  start: { on: Started, key: event.id }\n  complete: { emit: Empty, with: { id: start.id } }\n  steps:\n${good}`
    ),
    "s.yaml:6:36 complete.with.id: Empty has no field 'id'; it has none"
  ],
  [
    'a comma in braces',
    withSteps(refuse('Reserve', 'compensate: none, with: { id: start.id, lines: start.lines.map(l, l) }')),
    's.yaml:7:100 steps[0].with.lines: the expression ends too early; something is missing behind it; inside { } and [ ] YAML ends a value at a comma, so put the expression in quotes',
    `s.yaml:7:102 steps[0].with.l): found nothing; expected an expression in CEL, such as start.orderId, or "'some text'"`,
    "s.yaml:7:102 steps[0].with.l): Reserve has no field 'l)'; it has 'id' and 'lines'"
  ]
]

const scopes: readonly Case[] = [
  [
    'names that are not known in this place',
    saga(
      lines(
        '  start: { on: Started, key: start.id, compensate: { command: Refund, with: { id: event.id, reason: failure.typ } } }',
        '  cancel: { on: Stopped, key: event.code }',
        '  steps:',
        '    - { name: a, command: Ship, compensate: none, with: { id: failure.type, to: event.id } }',
        '  complete: { emit: Finished, with: { id: steps.a.trackin } }',
        '  abort: { emit: Finished, with: { id: steps.a.tracking } }'
      )
    ),
    "s.yaml:5:30 start.key: 'start' is not known here: a 'key' reads nothing but the event: 'event'",
    "s.yaml:5:83 start.compensate.with.id: 'event' is not known here: only 'key' reads it; the event that started the saga is 'start'",
    "s.yaml:5:109 start.compensate.with.reason: 'failure' has no field 'typ'; did you mean 'type'?",
    's.yaml:6:31 cancel.key: the value is int, but string is expected; write string(event.code)',
    "s.yaml:8:63 steps[0].with.id: 'failure' is not known here: only compensations and 'abort' have a failure",
    "s.yaml:8:81 steps[0].with.to: 'event' is not known here: only 'key' reads it; the event that started the saga is 'start'",
    "s.yaml:9:51 complete.with.id: 'steps.a' (Shipped) has no field 'trackin'; did you mean 'tracking'?",
    "s.yaml:10:46 abort.with.id: the reply of step 'a' may not be there, because the saga may have turned back before it succeeded; guard it: has(steps.a) ? steps.a.… : …"
  ],
  [
    'replies that are not there yet, or may be missing',
    withSteps(
      lines(
        '    - { name: first, command: Ship, compensate: none, with: { id: start.id, to: steps.second.id } }',
        '    - parallel:',
        '        - { name: second, command: Ship, when: start.vip, compensate: none, with: { id: start.id, to: steps.third.id } }',
        '        - steps:',
        '            - { name: third, command: Ship, with: { id: steps.first.id }, compensate: { command: Refund, with: { id: steps.second.id, reason: steps.third.id } } }',
        '            - { name: with-dash, command: Ship, with: { id: steps.third.id }, compensate: { command: Refund, with: { id: steps.third.id, reason: steps.with-dash.id } } }',
        '    - { name: last, command: Ship, compensate: { command: Refund, with: { id: steps.second.id, reason: steps.third.id } }, with: { id: steps.second.id } }',
        '    - { name: pivot, command: Ship, pivot: true, with: { id: steps.third.id } }',
        `  abort: { emit: Finished, with: { id: "has(steps.pivot) ? steps.pivot.id : ''" } }`,
        '  complete: { emit: Finished, with: { id: steps.pivot.id, note: steps.second.id } }'
      )
    ).replace('  abort', '  abort'),
    "s.yaml:7:87 steps[0].with.to: the reply of step 'second' is never there here, because it runs later",
    "s.yaml:9:109 steps[1].parallel[0].with.to: the reply of step 'third' is never there here, because it runs side by side with this one",
    "s.yaml:11:124 steps[1].parallel[1].steps[0].compensate.with.id: the reply of step 'second' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.second) ? steps.second.… : …",
    "s.yaml:11:149 steps[1].parallel[1].steps[0].compensate.with.reason: the reply of step 'third' may not be there, because the saga may have turned back before it succeeded; guard it: has(steps.third) ? steps.third.… : …",
    "s.yaml:12:152 steps[1].parallel[1].steps[1].compensate.with.reason: 'steps.with-…' is a subtraction in CEL; write steps['with-dash']",
    "s.yaml:13:85 steps[2].compensate.with.id: the reply of step 'second' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.second) ? steps.second.… : …",
    "s.yaml:13:142 steps[2].with.id: the reply of step 'second' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.second) ? steps.second.… : …",
    "s.yaml:15:51 abort.with.id: the reply of step 'pivot' is never there here, because nothing is compensated once the pivot has succeeded",
    "s.yaml:15:66 abort.with.id: the reply of step 'pivot' is never there here, because nothing is compensated once the pivot has succeeded",
    "s.yaml:16:71 complete.with.note: the reply of step 'second' may not be there, because it is skipped where its 'when' is false; guard it: has(steps.second) ? steps.second.… : …"
  ]
]

const rules: readonly Case[] = [
  [
    'a step that does not say how it is undone',
    withSteps(
      lines(
        '    - { name: a, command: Ship, with: { id: start.id } }',
        '    - { name: p, command: Charge, pivot: true, with: { id: start.id, cents: 1 } }'
      )
    ),
    "s.yaml:7:7 steps[0]: step 'a' does not say how it is undone, as every step before the pivot must; add 'compensate: { command: …, with: {…} }', or 'compensate: none' where it has no effect"
  ],
  [
    'a pivot that breaks the rules',
    withSteps(
      lines(
        '    - name: p',
        '      command: Charge',
        '      pivot: true',
        '      when: start.vip',
        '      until: Settled',
        '      onUnknown: compensate',
        '      compensate: { command: Refund, with: { id: start.id } }',
        '      with: { id: start.id, cents: 1 }'
      )
    ),
    "s.yaml:10:13 steps[0].when: the pivot has a 'when'; a point of no return that may be skipped is none, so put the condition on another step",
    "s.yaml:11:14 steps[0].until: the pivot has an 'until'; it is reached with its reply, so put what takes longer into the next step",
    "s.yaml:12:18 steps[0].onUnknown: the pivot cannot compensate when its outcome is unknown, since it may have succeeded; use 'retry' or 'park'",
    's.yaml:13:19 steps[0].compensate: the pivot is never compensated, for it is the point of no return; leave its compensation out'
  ],
  [
    'pivots in the wrong place',
    withSteps(`    - parallel:
        - { name: a, command: Ship, pivot: true, with: { id: start.id } }
        - { name: b, command: Ship, with: { id: start.id } }
    - { name: c, command: Ship, pivot: true, with: { id: start.id } }
`),
    "s.yaml:8:44 steps[0].parallel[0].pivot: the pivot stands inside 'parallel', where another branch can still be rejected after it has succeeded; move it before or behind the parallel node",
    "s.yaml:10:40 steps[1].pivot: a second pivot; step 'a' is the point of no return already, and there is at most one"
  ],
  [
    'steps after the pivot that want to go back',
    withSteps(
      lines(
        '    - { name: p, command: Ship, pivot: true, with: { id: start.id } }',
        '    - { name: a, command: Charge, onUnknown: compensate, onRejection: compensate, compensate: { command: Refund, with: { id: start.id } }, with: { id: start.id, cents: 1 } }',
        '    - { name: b, command: Charge, with: { id: start.id, cents: 1 } }'
      )
    ),
    "s.yaml:8:46 steps[1].onUnknown: a step after the pivot cannot compensate; use 'retry' or 'park'",
    "s.yaml:8:71 steps[1].onRejection: a step after the pivot cannot compensate; use 'park'",
    "s.yaml:8:95 steps[1].compensate: step 'a' runs after the pivot, from where nothing is compensated; leave its compensation out, or move it before the pivot",
    "s.yaml:9:27 steps[2].command: step 'b' runs after the pivot, but Charge may be rejected with Declined; add 'onRejection: park', or move it before the pivot"
  ],
  [
    "an 'until' that is no later event of the participant",
    withSteps(`    - { name: a, command: Ship, compensate: none, until: Shipped, with: { id: start.id } }
    - { name: b, command: Ship, compensate: none, until: Settled, with: { id: start.id } }
    - { name: c, command: Charge, compensate: none, until: Declined, with: { id: start.id, cents: 1 } }
`),
    "s.yaml:7:58 steps[0].until: 'Shipped' is the reply of Ship, which ends the step anyway; leave 'until' out, or name a later event",
    "s.yaml:8:58 steps[1].until: 'Settled' comes from participant 'bank'; 'until' waits for an event of 'shop', which has the command",
    "s.yaml:9:60 steps[2].until: 'Declined' is a rejection of Charge; 'until' names the event that tells of success"
  ],
  [
    'timeouts that outlast the deadline',
    saga(`  start: { on: Started, key: event.id }\n  deadline: 5s\n  steps:
    - { name: a, command: Ship, compensate: none, with: { id: start.id } }
    - { name: b, command: Ship, compensate: none, timeout: 90s, with: { id: start.id } }
    - { name: p, command: Ship, pivot: true, timeout: 5s, with: { id: start.id } }
    - { name: q, command: Ship, timeout: 5m, with: { id: start.id } }\n`),
    "s.yaml:8:7 steps[0]: the timeout of 10s, the default, is not below the saga's deadline of 5s; lower it, or raise the deadline",
    "s.yaml:9:60 steps[1].timeout: the timeout of 90s is not below the saga's deadline of 5s; lower it, or raise the deadline",
    "s.yaml:10:55 steps[2].timeout: the timeout of 5s is not below the saga's deadline of 5s; lower it, or raise the deadline"
  ],
  [
    'a start that cancels itself',
    saga(`  start: { on: Started, key: event.id }\n  cancel: { on: Started, key: event.id }\n  steps:\n${good}`),
    "s.yaml:6:17 cancel.on: 'Started' starts the saga and cannot cancel it too; name another event"
  ],
  [
    'a start that cancels itself under another of its names',
    saga(
      `  start: { on: Started, key: event.id }\n  cancel: { on: test.shop.Started, key: event.id }\n  steps:\n${good}`
    ),
    "s.yaml:6:17 cancel.on: 'test.shop.Started' starts the saga and cannot cancel it too; name another event"
  ],
  [
    'a deadline that is too long',
    saga(`  start: { on: Started, key: event.id }\n  deadline: 366d\n  steps:\n${good}`),
    "s.yaml:6:13 deadline: '366d' is too long; the limit deadlineMsMax is 365d"
  ]
]

for (const [title, text, ...expected] of [...files, ...forms, ...names, ...scopes, ...rules]) {
  test(`${title}: every fault is named with its place`, (t) => {
    t.deepEqual(errorsOf(text), expected)
  })
}

test('the error holds the first fault as its message, and the first twenty as details', (t) => {
  const steps = Array.from({ length: 25 }, (_, i) => `    - { name: s${i}, command: Foo${i}, compensate: none }\n`)
  const error = t.throws(() => load(withSteps(steps.join(''))))
  if (!isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return t.fail()
  t.regex(error.message, /^s\.yaml:7:28 steps\[0\]\.command: unknown command 'Foo0'; .* \(and 24 more errors\)$/)
  t.is(error.details['errorCount'], 25)
  const errors = error.details['errors'] as unknown[]
  t.is(errors.length, 20)
  t.like(errors[1], {
    code: 'PARCOMOLO_SAGA_UNKNOWN_NAME',
    file: 's.yaml',
    line: 8,
    column: 28,
    path: 'steps[1].command'
  })
})

test('aliases are followed up to a limit', (t) => {
  const first = lines(
    '    - name: s0',
    '      command: Ship',
    '      with: &with { id: start.id }',
    '      compensate: &undo { command: Release, with: *with }'
  )
  const rest = Array.from(
    { length: 60 },
    (_, i) => `    - { name: s${i + 1}, command: Ship, with: *with, compensate: *undo }\n`
  )
  t.deepEqual(errorsOf(withSteps(first + rest.slice(0, 33).join(''))), [])
  t.is(
    errorsOf(withSteps(first + rest.join('')))[0],
    's.yaml:44:41 steps[34].with: the file follows more aliases than allowed: the limit aliasesMax is 100 aliases'
  )
})

test('aliases of aliases do not grow without end', (t) => {
  const lists = Array.from(
    { length: 9 },
    (_, i) =>
      `l${i}: &l${i} [${Array(9)
        .fill(i === 0 ? '1' : `*l${i - 1}`)
        .join(', ')}]`
  )
  const text = withSteps(
    `    - { name: a, command: Take, compensate: none, with: { ${lists.join(', ')}, ints: *l8 } }\n`
  )
  t.true(errorsOf(text).some((error) => error.endsWith('the limit aliasesMax is 100 aliases')))
})

test('nesting without end is an error like any other', (t) => {
  const [first] = errorsOf(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
  t.regex(
    first!,
    /^s\.yaml:1:201: the brackets are nested deeper than can be read; the limit bracketsMax is 200 open brackets; /
  )
})

test('a single fault is the whole message', (t) => {
  const error = t.throws(() => load(withSteps(good.replace('Ship', 'Shipp'))))
  t.is(error?.message, "s.yaml:7:30 steps[0].command: unknown command 'Shipp'; did you mean 'Ship'?")
})

test('two faults are one and one more', (t) => {
  const error = t.throws(() => load(withSteps(good.replace('Ship', 'Shipp').replace('start.id', 'strat.id'))))
  t.regex(error?.message ?? '', / \(and 1 more error\)$/)
})
