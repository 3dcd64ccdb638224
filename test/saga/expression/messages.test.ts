import test from 'ava'
import { isParcomoloError } from '../../../src/base/index.ts'
import { decide, evolve, type SagaEvent } from '../../../src/saga/index.ts'
import { errorsOf, load, saga, withSteps } from '../load/fixture.ts'
import { started } from './stage.ts'

const step = '    - { name: a, command: Ship, compensate: none, with: { id: start.id } }\n'
const take = (fields: string): string =>
  withSteps(`    - { name: a, command: Take, compensate: none, with: { ${fields} } }\n`)

/** What is written, and all that is said about it. */
const messages: readonly (readonly [string, string, ...string[]])[] = [
  [
    'a tab before an item',
    withSteps(`${step}\t- { name: b, command: Ship, compensate: none, with: { id: start.id } }\n`),
    's.yaml:8:1: a tab stands where the line is indented; YAML is indented with spaces only'
  ],
  [
    'a tab before a key',
    withSteps('    - name: a\n      command: Ship\n\tcompensate: none\n'),
    's.yaml:9:1: a tab stands where the line is indented; YAML is indented with spaces only'
  ],
  [
    'a non-breaking space behind a colon',
    saga(`  start:\u00A0{ on: Started, key: event.id }\n  steps:\n${step}`),
    "s.yaml:5:9: '<U+00A0>' looks like a space, but is none to YAML; write a plain space"
  ],
  [
    'a non-breaking space in a key',
    saga(`  start: { on: Started, key: event.id, compensate:\u00A0none }\n  steps:\n${step}`),
    "s.yaml:5:40 start.compensate:<U+00A0>none: unknown key 'compensate:<U+00A0>none'; " +
      "'<U+00A0>' in it looks like a space, but is none to YAML, so write a plain space"
  ],
  [
    'a character without a width in a name',
    withSteps(step.replace('Ship', 'Sh\u200Bip')),
    "s.yaml:7:27 steps[0].command: unknown command 'Sh<U+200B>ip'; did you mean 'Ship'?"
  ],
  [
    'a merge key',
    withSteps(`${step.replace('- {', '- &base {')}    - { <<: *base, name: b }\n`),
    "s.yaml:8:9: merge keys ('<<') are not supported; write the fields out, or alias a whole map"
  ],
  [
    'a merge key in fields',
    withSteps(
      `${step.replace('with: {', 'with: &w {')}    - { name: b, command: Ship, compensate: none, with: { <<: *w } }\n`
    ),
    "s.yaml:8:59: merge keys ('<<') are not supported; write the fields out, or alias a whole map"
  ],
  ["a field that is called '<<', in quotes", take("labels: { '<<': start.id }")],
  ['a text with a shift', take('s: "\'<<\'"')],
  [
    'a date for a text',
    take('s: 2024-01-02'),
    `s.yaml:7:62 steps[0].with.s: found '2024-01-02'; a date needs quotes of its own: "'2024-01-02'"`
  ],
  [
    'a date for a number',
    take('l: 2024-01-02T10:00:00Z'),
    `s.yaml:7:62 steps[0].with.l: found '2024-01-02T10:00:00Z'; a date needs quotes of its own: "'2024-01-02T10:00:00Z'"`
  ],
  [
    'numbers beyond what YAML keeps',
    take('d: 1e21, l: 9007199254740993'),
    "s.yaml:7:71 steps[0].with.l: '9007199254740993' is too large; whole numbers go up to 9007199254740991"
  ],
  [
    'a switch in a step',
    withSteps(step.replace(' }\n', ', switch: [] }\n')),
    "s.yaml:7:75 steps[0].switch: there is no 'switch'; give each of the steps a 'when'"
  ],
  [
    'a choice in place of a step',
    withSteps(`${step}    - choice: []\n`),
    "s.yaml:8:7 steps[1]: there is no 'choice'; give each of the steps a 'when'"
  ]
]

for (const [title, text, ...expected] of messages) {
  test(`${title}: all that is said is what helps`, (t) => {
    t.deepEqual(errorsOf(text), expected)
  })
}

test('a double that is written without a point is one', (t) => {
  t.deepEqual(load(take('d: 1e21')).steps[0]!.arguments.evaluate({}), { d: 1e21 })
})

test('a step that is parked for a rejection says by what it was rejected', (t) => {
  const definition = load(
    withSteps(
      '    - { name: r, command: Charge, onRejection: park, compensate: none, with: { id: start.id, cents: 5 } }\n'
    )
  )
  const payload = (type: string) => ({ type, value: { id: 'k' }, bytes: new Uint8Array() })
  const begun = decide(definition, undefined, { kind: 'start', key: 'k', message: payload('Started') }, { now: 0 })
  const instance = begun.reduce<ReturnType<typeof evolve>>((state, event) => evolve(state, event, 0), undefined)
  const rejected = { kind: 'answer', commandId: 'test/r/k', message: payload('Declined') } as const
  const parked = decide(definition, instance, rejected, { now: 0 }).at(-1) as SagaEvent & { type: 'SagaParked' }
  t.is(parked.value.reason, "step 'r' was rejected with 'Declined'")
})

test('a key has a limit, below that of the ids of commands', (t) => {
  const { start, cancel } = load(
    saga(`  start: { on: Started, key: event.id }\n  cancel: { on: Stopped, key: event.id }\n  steps:\n${step}`)
  )
  for (const { key } of [start, cancel!]) {
    const keyOf = (id: string): unknown => key.evaluate({ event: { ...started, id } })
    t.is(keyOf('k'.repeat(1024)), 'k'.repeat(1024))
    const long = t.throws(() => keyOf('k'.repeat(1025)))
    t.true(isParcomoloError(long, 'PARCOMOLO_SAGA_EXPRESSION_FAILED'))
    t.regex(long?.message ?? '', /\.key: the key has 1025 characters; the limit keyCharsMax is 1024 characters$/)
  }
})
