import type { Map } from '../crd/corpus.ts'

export const step: Map = { name: 'a', command: 'Ship', with: { id: 'start.id' }, compensate: 'none' }
const undo: Map = { command: 'Release', with: { id: 'start.id' } }
const pivot: Map = { name: 'p', command: 'Ship', pivot: true }

export const saga = (spec: Map, name = 'test'): Map => ({
  apiVersion: 'parcomolo.io/v1alpha1',
  kind: 'Saga',
  metadata: { name },
  spec: { start: { on: 'Started', key: 'event.id' }, ...spec }
})

const steps = (...list: readonly Map[]): Map => saga({ steps: list })

export const participant = (spec: Map = {}): Map => ({
  apiVersion: 'parcomolo.io/v1alpha1',
  kind: 'Participant',
  metadata: { name: 'parcel' },
  spec: { inbox: 'parcel-commands', events: 'parcel-events', contract: 'protocol Parcel {}', ...spec }
})

const many = (count: number, make: (i: number) => Map): Map[] => Array.from({ length: count }, (_, i) => make(i))

/** What is refused at once, and where and how the API server says so. */
export const brokenSagas: readonly (readonly [string, Map, string])[] = [
  ['no spec', { apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', metadata: { name: 'a' } }, 'spec: Required value'],
  ['a name with a dot', saga({ steps: [step] }, 'order.v2'), "metadata.name: Invalid value: The saga's name: up to 63"],
  ['a name that is too long', saga({ steps: [step] }, 'a'.repeat(64)), 'metadata.name: Too long'],
  ['no steps', steps(), 'spec.steps: Invalid value: 0: spec.steps in body should have at least 1 items'],
  ['101 steps', steps(...many(101, (i) => ({ ...step, name: `a${i}` }))), 'spec.steps: Too many: 101'],
  ['an unknown key', steps({ ...step, onUnknwon: 'park' }), 'unknown field "spec.steps[0].onUnknwon"'],
  [
    'a start without its event',
    saga({ start: { key: 'event.id' }, steps: [step] }),
    "spec.start.on: Required value: 'on' is"
  ],
  [
    'the event twice',
    saga({ start: { on: 'Started', true: 'Started', key: 'event.id' }, steps: [step] }),
    "spec.start.on: Required value: 'on' is needed, and only once"
  ],
  [
    'a cancel by the start event',
    saga({ cancel: { on: 'Started', key: 'event.id' }, steps: [step] }),
    'spec.cancel: Invalid value: the event that starts the saga cannot cancel it too'
  ],
  ['a deadline without a unit', saga({ deadline: '60', steps: [step] }), "spec.deadline in body should match '^"],
  [
    'a step without a name',
    steps({ command: 'Ship', compensate: 'none' }),
    "spec.steps[0].name: Required value: 'name' is missing; a step needs 'name' and 'command'"
  ],
  [
    'a step without a command',
    steps({ name: 'a' }),
    "spec.steps[0]: Invalid value: a step has either a 'command', or 'parallel' and nothing else"
  ],
  [
    'a parallel with a name',
    steps({ name: 'a', parallel: [step] }),
    "spec.steps[0]: Forbidden: a step has either a 'command'"
  ],
  ['steps inside of steps', steps({ steps: [step] }), 'unknown field "spec.steps[0].steps"'],
  [
    'a branch of steps with a name',
    steps({ parallel: [{ name: 'b', steps: [step] }] }),
    "spec.steps[0].parallel[0]: Forbidden: a branch has either a 'command'"
  ],
  [
    'an empty branch',
    steps({ parallel: [{}] }),
    "spec.steps[0].parallel[0]: Invalid value: a branch has either a 'command'"
  ],
  [
    '21 branches',
    steps({ parallel: many(21, (i) => ({ ...step, name: `a${i}` })) }),
    'spec.steps[0].parallel: Too many: 21'
  ],
  ['a name with a capital', steps({ ...step, name: 'Ship' }), "spec.steps[0].name in body should match '^[a-z]"],
  [
    'the name of the start',
    steps({ ...step, name: 'start' }),
    'spec.steps[0].name: Invalid value: "start": \'start\' names the beginning of the saga'
  ],
  ['one name twice', steps(step, { ...step }), 'spec.steps: Invalid value: a second step has the name of another'],
  [
    'the name of a branch twice',
    steps({ parallel: [step, { ...step }] }),
    'spec.steps[0].parallel: Invalid value: a second step has'
  ],
  [
    "a step's name in a branch",
    steps(step, { parallel: [{ ...step }] }),
    'spec.steps: Invalid value: a second step has'
  ],
  [
    'an unknown choice',
    steps({ ...step, onRejection: 'retry' }),
    'spec.steps[0].onRejection: Unsupported value: "retry": supported values: "compensate", "park"'
  ],
  [
    '1001 attempts',
    steps({ ...step, retry: { attempts: 1001 } }),
    'spec.steps[0].retry.attempts in body should be less than or equal to 1000'
  ],
  ['an empty condition', steps({ ...step, when: '' }), "spec.steps[0].when in body should match '\\S'"],
  [
    'an undo in one word',
    steps({ ...step, compensate: 'Release' }),
    "spec.steps[0].compensate in body should match '^none$'"
  ],
  [
    'an undo without a command',
    steps({ ...step, compensate: { with: {} } }),
    'spec.steps[0].compensate.command: Required value'
  ],
  [
    'an expression that is too long',
    steps({ ...step, with: { id: 'x'.repeat(2001) } }),
    'spec.steps[0].with.id: Too long'
  ],
  [
    'a step that does not say how it is undone',
    steps({ name: 'a', command: 'Ship' }, step),
    'spec.steps: Required value: a step does not say how it is undone'
  ],
  [
    'one before the pivot',
    steps({ name: 'a', command: 'Ship' }, pivot),
    'spec.steps: Required value: a step does not say how it is undone'
  ],
  [
    'one in a branch',
    steps({ parallel: [{ name: 'a', command: 'Ship' }] }, pivot),
    'spec.steps: Required value: a step does not say how it is undone'
  ],
  [
    'one deeper in a branch',
    steps({ parallel: [{ steps: [{ name: 'a', command: 'Ship' }] }] }),
    'spec.steps: Required value: a step does not say how it is undone'
  ],
  ['two pivots', steps(pivot, { ...pivot, name: 'q' }), 'spec.steps: Invalid value: a second pivot'],
  [
    'a pivot in a branch',
    steps({ parallel: [{ ...pivot, compensate: 'none' }] }),
    "spec.steps[0].parallel[0].pivot: Forbidden: the pivot stands inside 'parallel'"
  ],
  [
    'a pivot deeper in a branch',
    steps({ parallel: [{ steps: [{ ...pivot, compensate: 'none' }] }] }),
    "spec.steps[0].parallel[0].steps[0].pivot: Forbidden: the pivot stands inside 'parallel'"
  ],
  [
    'a pivot with a condition',
    steps({ ...pivot, when: 'start.vip' }),
    "spec.steps[0].when: Forbidden: the pivot has a 'when'"
  ],
  [
    'a pivot with an event',
    steps({ ...pivot, until: 'Arrived' }),
    "spec.steps[0].until: Forbidden: the pivot has an 'until'"
  ],
  [
    'a pivot with an undo',
    steps({ ...pivot, compensate: undo }),
    'spec.steps[0].compensate: Forbidden: the pivot is never compensated'
  ],
  [
    'a pivot that turns back',
    steps({ ...pivot, onUnknown: 'compensate' }),
    'spec.steps[0].onUnknown: Forbidden: the pivot cannot compensate'
  ],
  [
    'an undo after the pivot',
    steps(pivot, { ...step, compensate: undo }),
    'spec.steps: Forbidden: a step after the pivot has a compensation'
  ],
  [
    'an undo in a branch after the pivot',
    steps(pivot, { parallel: [{ steps: [{ ...step, compensate: undo }] }] }),
    'spec.steps: Forbidden: a step after the pivot has a compensation'
  ],
  [
    'turning back after the pivot',
    steps(pivot, { ...step, onRejection: 'compensate' }),
    "spec.steps: Forbidden: a step after the pivot cannot compensate; use 'park'"
  ]
]

export const brokenParticipants: readonly (readonly [string, Map, string])[] = [
  ['no contract', { ...participant(), spec: { inbox: 'a', events: 'b' } }, 'spec.contract: Required value'],
  [
    'one topic for both',
    participant({ events: 'parcel-commands' }),
    'spec.events: Invalid value: the events topic is the inbox too'
  ],
  ['a topic with a blank', participant({ inbox: 'parcel commands' }), 'spec.inbox in body should match'],
  ['a topic of dots', participant({ inbox: '..' }), 'spec.inbox in body should match'],
  ['a topic that is too long', participant({ inbox: 'x'.repeat(250) }), 'spec.inbox: Too long'],
  ['a contract that is too long', participant({ contract: 'x'.repeat(262_145) }), 'spec.contract: Too long'],
  ['an unknown key', participant({ outbox: 'x' }), 'unknown field "spec.outbox"']
]

/** As large as the language allows, in several shapes: what the rules cost then is within the API server's bounds. */
export const largest: readonly (readonly [string, Map])[] = [
  ['100 steps', steps(...many(99, (i) => ({ ...step, name: `a${i}` })), pivot)],
  [
    '20 branches, five times',
    steps(...many(5, (i) => ({ parallel: many(20, (j) => ({ ...step, name: `a${i}-${j}` })) })))
  ],
  ['a branch of 100', steps({ parallel: [{ steps: many(100, (i) => ({ ...step, name: `a${i}` })) }] })],
  [
    'names of 63 characters',
    steps(...many(100, (i) => ({ ...step, name: `${'a'.repeat(60)}${String(i).padStart(3, '0')}` })))
  ]
]
