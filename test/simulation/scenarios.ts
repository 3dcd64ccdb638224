import { type Faults, noFaults } from '../helpers/simulated-log.ts'
import {
  compatibleContracts,
  giftSagas,
  impossibleContracts,
  loyaltySagas,
  pairSagas,
  pointsSagas,
  watchSagas
} from './loyalty.ts'
import type { Scenario } from './simulate.ts'
import { withTracesLost } from './misread.ts'

export type Case = Omit<Scenario, 'seed'>

const badNetwork: Faults = {
  slow: 0.15,
  slowMsMax: 2500,
  requestLost: 0.08,
  answerLost: 0.1,
  duplicated: 0.15,
  sendRejected: 0.3,
  lookupLags: 0,
  assignmentMsMax: 1500,
  slowDisk: 0
}

export const cluster: Case = {
  variant: 'kafka',
  flow: 'orchestration',
  nodes: 3,
  partitions: 3,
  orders: 12,
  faults: badNetwork,
  crashes: 5,
  pauses: 3,
  rebalances: 5,
  edits: 2
}

export const laptop: Case = {
  variant: 'embedded',
  flow: 'orchestration',
  nodes: 1,
  partitions: 1,
  orders: 15,
  faults: { ...noFaults, slowDisk: 0.2 },
  crashes: 6,
  pauses: 0,
  rebalances: 0,
  edits: 2
}

/** Long enough that backlogs come to be and are worked off in it. */
const troubles = { orders: 30, stormMs: 60_000, absences: 4, slowdowns: 2 }

export const awayCluster: Case = { ...cluster, nodes: 2, partitions: 2, ...troubles }

const awayLaptop: Case = { ...laptop, ...troubles, crashes: 8, forgets: 0.4 }

export const awayChoreography: Case = { ...awayCluster, flow: 'choreography', cancels: 0.6, absences: 6, slowdowns: 4 }

/** What is sent again here, nobody has lost. */
const quietAway: Case = {
  ...{ ...awayCluster, nodes: 1, partitions: 1, window: 4, faults: noFaults },
  ...{ crashes: 0, pauses: 0, rebalances: 0, edits: 0, absences: 8 }
}

export const failingKeys: Pick<Case, 'beside' | 'cancels'> = {
  cancels: 0.6,
  beside: {
    ...{ sagas: [pointsSagas, watchSagas, giftSagas], contracts: [] },
    ...{ saves: 6, crashes: 1, outages: 1, thinksMsMax: 3000 }
  }
}

/** Sagas whose instances, starts, cancels and commands have keys of their own. */
const besideKeys: NonNullable<Case['beside']> = {
  ...{ sagas: [pairSagas, [watchSagas[1]!, watchSagas[0]!], [pointsSagas[1]!]], contracts: [] },
  ...{ saves: 3, crashes: 1, outages: 0, thinksMsMax: 2000 }
}

export const severalKeys: Pick<Case, 'beside' | 'cancels'> = { cancels: 0.6, beside: besideKeys }

const narrow = { partitions: 3, window: 1 }

/** Those that some sagas can do without come more often. */
const contractsSaved = [
  ...Object.values(compatibleContracts),
  ...Array.from({ length: 3 }, () => [compatibleContracts.withoutVoucher, compatibleContracts.stricter]).flat(),
  ...Object.values(impossibleContracts)
]

export const besideContracts: NonNullable<Case['beside']> = {
  ...{ sagas: [[...loyaltySagas, loyaltySagas[2]!, loyaltySagas[2]!]], contracts: contractsSaved },
  ...{ saves: 20, crashes: 1, outages: 2, thinksMsMax: 40_000 }
}

/** More nodes than partitions: who judges a contract may know of no instance. */
export const changingContracts: Case = {
  ...{ ...cluster, nodes: 3, partitions: 2, crashes: 8, rebalances: 8, edits: 1, stormMs: 30_000 },
  beside: besideContracts
}

/** What a run is like, on how many seeds it runs with every `npm test`, and what has to have happened in them. */
export const scenarios: Readonly<Record<string, readonly [seeds: number, Case, counts: readonly string[]]>> = {
  'a cluster in which everything fails': [10, cluster, ['fenced', 'repeated', 'cancelled', 'refused']],
  'a cluster in which everything fails, as choreography': [
    6,
    { ...cluster, flow: 'choreography', cancels: 0.6 },
    ['fenced', 'repeated', 'cancelled', 'refused', 'refunded', 'stopped', 'metByPayment']
  ],
  'a quiet cluster': [2, { ...cluster, faults: noFaults, crashes: 0, pauses: 0, rebalances: 0, edits: 0 }, []],
  'a laptop that loses its power': [8, laptop, ['lost', 'cancelled', 'refused']],
  'a laptop that loses its power, as choreography': [
    5,
    { ...laptop, flow: 'choreography', cancels: 0.6 },
    ['lost', 'cancelled', 'stopped']
  ],
  'a cluster with narrow windows': [
    6,
    { ...cluster, partitions: 2, orders: 20, window: 1 },
    ['fenced', 'cancelled', 'putOff']
  ],
  'a laptop with narrow windows': [4, { ...laptop, orders: 25, window: 2 }, ['lost', 'cancelled', 'putOff']],
  'a cluster with room for few entities in memory': [
    5,
    { ...awayCluster, partitions: 2, orders: 25, awake: 2 },
    ['fenced', 'woken', 'cancelled']
  ],
  'a laptop with room for few entities in memory': [
    4,
    { ...awayLaptop, partitions: 2, orders: 25, awake: 1 },
    ['lost', 'woken', 'cancelled']
  ],
  'a laptop with three partitions': [3, { ...laptop, partitions: 3 }, ['lost']],
  'a cluster whose roles go away': [4, awayCluster, ['fenced', 'cancelled', 'probes', 'again']],
  'a cluster whose roles go away, with narrow windows': [
    4,
    { ...awayCluster, nodes: 3, partitions: 3, window: 1 },
    ['fenced', 'putOff', 'probes']
  ],
  'a cluster whose roles go away, as choreography': [
    4,
    awayChoreography,
    ['fenced', 'cancelled', 'refused', 'refunded', 'stopped', 'metByPayment']
  ],
  'a laptop whose roles go away, as choreography': [
    3,
    { ...awayLaptop, flow: 'choreography', cancels: 0.6 },
    ['lost', 'cancelled', 'refunded', 'stopped', 'metByPayment']
  ],
  'a laptop whose roles go away': [3, awayLaptop, ['cancelled', 'probes', 'again']],
  'a laptop whose roles go away, with narrow windows': [
    3,
    { ...awayLaptop, partitions: 2, window: 2 },
    ['putOff', 'probes']
  ],
  'a quiet cluster whose roles go away': [2, quietAway, ['probes']],
  'a cluster whose roles go away, and mostly nobody hears how far they have read': [
    2,
    { ...awayCluster, window: 2, isTold: false, wrap: (log) => withTracesLost(log) },
    ['probes', 'putOff']
  ],
  'a cluster whose clocks jump': [4, { ...cluster, nodes: 2, partitions: 2, jumps: 5 }, ['jumps', 'fenced']],
  'a laptop whose clock jumps': [4, { ...laptop, jumps: 5 }, ['jumps', 'lost']],
  'a laptop whose clock jumps, as choreography': [2, { ...laptop, flow: 'choreography', jumps: 5 }, ['jumps', 'lost']],
  'a cluster in which others write garbage': [4, { ...cluster, orders: 6, garbage: 60 }, ['garbage', 'doubled']],
  'a laptop on which others write garbage': [3, { ...laptop, orders: 6, garbage: 60 }, ['garbage', 'lost']],
  'a cluster with sagas whose keys fail': [
    2,
    { ...cluster, ...failingKeys, partitions: 2 },
    ['passedOver', 'fenced', 'cancelledBeside']
  ],
  'a laptop with sagas whose keys fail': [
    2,
    { ...laptop, ...failingKeys, partitions: 2 },
    ['passedOver', 'lost', 'cancelledBeside']
  ],
  'a cluster with sagas of several keys': [
    3,
    { ...cluster, ...severalKeys, partitions: 4, orders: 20 },
    ['fenced', 'cancelledBeside', 'handedOver']
  ],
  'a cluster with sagas of several keys, and narrow windows': [
    3,
    // Nobody edits, since what cancels a saga that is put off counts by the revision of then.
    { ...awayCluster, ...severalKeys, beside: { ...besideKeys, sagas: [pairSagas, watchSagas], saves: 0 }, ...narrow },
    ['fenced', 'handedOver', 'putOff']
  ],
  'a laptop with sagas of several keys': [
    3,
    { ...laptop, ...severalKeys, partitions: 3, orders: 20 },
    ['lost', 'cancelledBeside', 'handedOver']
  ],
  'a cluster whose contracts change': [2, changingContracts, ['contractChanged', 'contractRefused', 'fenced']],
  'a laptop whose contracts change': [
    6,
    { ...laptop, stormMs: 30_000, beside: besideContracts },
    ['contractChanged', 'contractRefused', 'lost']
  ]
}
