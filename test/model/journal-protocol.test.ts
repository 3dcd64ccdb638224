import test from 'ava'
import { explore } from './explore.ts'
import { journalProtocol, type Property, properties } from './journal-protocol.ts'
import { type Bounds, type Rule, rules } from './journal-state.ts'

const none: Bounds = { variant: 'kafka', inputs: 2, crashes: 0, takeovers: 0, duplicates: 0, losses: 0, snapshots: 0 }

/** Each takes a second or less; `WIDE=1` adds bounds that take minutes. */
const worlds: readonly Partial<Bounds>[] = [
  { crashes: 1, takeovers: 1, losses: 1 },
  { takeovers: 1, duplicates: 1, losses: 1 },
  { inputs: 1, crashes: 2, takeovers: 1, duplicates: 1 },
  { inputs: 1, crashes: 1, takeovers: 1, losses: 1, snapshots: 2 },
  { inputs: 3, crashes: 1, losses: 1 },
  { takeovers: 1, forgets: 1, losses: 1 },
  { inputs: 1, crashes: 1, takeovers: 1, forgets: 2 },
  { putOffs: 1, crashes: 1 },
  { inputs: 1, putOffs: 1, crashes: 1, takeovers: 1 },
  { inputs: 1, putOffs: 1, crashes: 1, snapshots: 1 },
  { variant: 'embedded', inputs: 1, putOffs: 1, crashes: 1 },
  { variant: 'embedded', crashes: 1 },
  { variant: 'embedded', inputs: 1, crashes: 2, snapshots: 1 }
]

const wideWorlds: readonly Partial<Bounds>[] = [
  { crashes: 1, takeovers: 1, duplicates: 1, losses: 1 },
  { crashes: 1, takeovers: 1, snapshots: 2 },
  { crashes: 2, takeovers: 1 },
  { inputs: 3, crashes: 1, takeovers: 1 },
  { crashes: 1, takeovers: 2, forgets: 2, losses: 1 },
  { variant: 'embedded', crashes: 2, snapshots: 1 }
]

for (const world of process.env['WIDE'] === undefined ? worlds : [...worlds, ...wideWorlds]) {
  const bounds = { ...none, ...world }
  test(`the protocol keeps every property in every state (${describe(bounds)})`, (t) => {
    const { states, quietStates, depth, counterExample } = explore(journalProtocol(bounds))
    t.is(counterExample, undefined)
    t.true(quietStates > 0, 'the end was never reached, so nothing was shown about it')
    t.log(`${states} states, ${quietStates} of them at rest, up to ${depth} steps`)
  })
}

/** Bounds in which the loss of a rule shows, and the property that breaks. */
const mutations: Readonly<Record<Rule, readonly [Property, Partial<Bounds>]>> = {
  fences: ['decidedOnJournal', { takeovers: 1 }],
  readsBehindFence: ['decidedOnJournal', { takeovers: 1 }],
  epochChecked: ['decidedOnJournal', { takeovers: 1 }],
  stopsWhenRefused: ['decidedOnJournal', { takeovers: 1 }],
  provesWhenLate: ['decidedOnJournal', { takeovers: 1, forgets: 1 }],
  renewsWhenLate: ['decidedOnJournal', { takeovers: 1, forgets: 1 }],
  endWhenLate: ['decidedOnJournal', { takeovers: 1, forgets: 2 }],
  neverSentLate: ['appendedOnce', { losses: 1, forgets: 1 }],
  sequenceChecked: ['appendedOnce', { duplicates: 1 }],
  retriesSameSequence: ['decidedOnJournal', { losses: 1 }],
  retriesSameBytes: ['acknowledgedOnce', { losses: 1 }],
  oneInFlight: ['decidedOnJournal', {}],
  positionsInBatch: ['inputsOnce', { crashes: 1 }],
  laneInBatch: ['begunAll', { inputs: 1, putOffs: 1, crashes: 1 }],
  laneMovesWithBatch: ['begunOnce', { putOffs: 1, crashes: 1 }],
  putOffInOrder: ['begunOnce', { putOffs: 1 }],
  forwardsAcknowledged: ['acceptedOnce', { takeovers: 1 }],
  stopAndWait: ['acceptedOnce', {}],
  forwardsTheRest: ['commandsArrive', { crashes: 1 }],
  forwardedNotAhead: ['acceptedOnce', { crashes: 1 }],
  sequenceDeduplicated: ['acceptedOnce', { losses: 1 }],
  sequenceIsOffset: ['acceptedOnce', { crashes: 1 }],
  highWaterInJournal: ['acceptedOnce', { variant: 'embedded', crashes: 1 }],
  snapshotNotAhead: ['decidedOnJournal', { crashes: 1, takeovers: 1, snapshots: 1 }],
  snapshotFenced: ['decidedOnJournal', { crashes: 1, takeovers: 1, snapshots: 2 }],
  markerLast: ['decidedOnJournal', { crashes: 1, snapshots: 1 }],
  versionRespected: ['decidedOnJournal', { crashes: 1, snapshots: 1 }],
  snapshotDurable: ['decidedOnJournal', { variant: 'embedded', crashes: 1, snapshots: 1 }],
  tellsDurable: ['acknowledgedOnce', { variant: 'embedded', crashes: 1 }],
  oneTotalOrder: ['acceptedOnce', { variant: 'embedded', crashes: 1 }]
}

for (const [rule, [property, world]] of Object.entries(mutations) as [Rule, (typeof mutations)[Rule]][]) {
  test(`the rule that ${rules[rule]} is needed`, (t) => {
    const { counterExample } = explore(journalProtocol({ ...none, ...world, dropped: rule }))
    t.is(counterExample?.property, property)
    t.log(`without it this is broken: ${properties[property]}`, ['', ...counterExample!.timeline].join('\n    '))
  })
}

function describe({ variant, ...numbers }: Bounds): string {
  const named = Object.entries(numbers).filter(([, number]) => number !== 0)
  return `${variant}: ${named.map(([name, number]) => `${name} ${number}`).join(', ')}`
}
