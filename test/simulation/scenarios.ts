import type { Log } from '../../src/log/index.ts'
import { type Faults, noFaults } from '../helpers/simulated-log.ts'
import type { Scenario } from './simulate.ts'

type Case = Omit<Scenario, 'seed'>

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

const cluster: Case = {
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

const laptop: Case = {
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

/** What a run is like, on how many seeds it runs with every `npm test`, and what has to have happened in them. */
export const scenarios: Readonly<Record<string, readonly [seeds: number, Case, counts: readonly string[]]>> = {
  'a cluster in which everything fails': [10, cluster, ['fenced', 'repeated', 'cancelled', 'refused']],
  'a cluster in which everything fails, as choreography': [
    6,
    { ...cluster, flow: 'choreography' },
    ['fenced', 'repeated', 'cancelled']
  ],
  'a quiet cluster': [2, { ...cluster, faults: noFaults, crashes: 0, pauses: 0, rebalances: 0, edits: 0 }, []],
  'a laptop that loses its power': [8, laptop, ['lost', 'cancelled', 'refused']],
  'a laptop that loses its power, as choreography': [5, { ...laptop, flow: 'choreography' }, ['lost', 'cancelled']],
  'a cluster with narrow windows': [
    6,
    { ...cluster, partitions: 2, orders: 20, window: 1 },
    ['fenced', 'cancelled', 'putOff']
  ],
  'a laptop with narrow windows': [4, { ...laptop, orders: 25, window: 2 }, ['lost', 'cancelled', 'putOff']],
  'a laptop with three partitions': [3, { ...laptop, partitions: 3 }, ['lost']],
  'a cluster in which others write garbage': [4, { ...cluster, orders: 6, garbage: 60 }, ['garbage', 'doubled']],
  'a laptop on which others write garbage': [3, { ...laptop, orders: 6, garbage: 60 }, ['garbage', 'lost']]
}

/** Bugs put between the shop and its log, which a run has to find on one of its first seeds. */
export const plantedBugs: Readonly<Record<string, Case>> = {
  'a log that lets an older owner go on writing': {
    ...cluster,
    partitions: 1,
    spoil: ({ broker }) => (broker.checksEpoch = false)
  },
  'batches with positions beyond what they cover': {
    ...cluster,
    partitions: 1,
    wrap: (log) => instead(log, { claim: async (place) => withPositionsAhead(await log.claim(place)) })
  },
  'a task that does not wait for its dead letters': {
    ...cluster,
    orders: 2,
    garbage: 60,
    crashes: 20,
    wrap: (log) => instead(log, { send: (records) => withoutWaiting(log, records) })
  },
  'answers that do not wait for the disk': {
    ...laptop,
    orders: 40,
    crashes: 14,
    faults: { ...noFaults, slowDisk: 1 },
    wrap: (log) => instead(log, { reader: (starts) => log.reader(starts, 'visible') })
  },
  'a disk that loses the ends of its partitions one by one': {
    ...laptop,
    orders: 40,
    crashes: 14,
    faults: { ...noFaults, slowDisk: 1 },
    spoil: ({ broker }) => (broker.hasOneOrder = false)
  }
}

/** A log that does one thing otherwise. */
const instead = (log: Log, other: Partial<Log>): Log => ({
  ensureTopics: (specs) => log.ensureTopics(specs),
  partitionCount: (topic) => log.partitionCount(topic),
  claim: (place) => log.claim(place),
  send: (records) => log.send(records),
  reader: (starts, isolation) => log.reader(starts, isolation),
  read: (place, from, to) => log.read(place, from, to),
  end: (place) => log.end(place),
  durable: (place, offset) => log.durable(place, offset),
  lookup: (place, keys) => log.lookup(place, keys),
  join: (group, places, onAssignment) => log.join(group, places, onAssignment),
  health: () => log.health(),
  stats: () => log.stats(),
  close: () => log.close(),
  ...other
})

const withoutWaiting: (log: Log, records: Parameters<Log['send']>[0]) => Promise<void> = async (log, records) => {
  const sent = log.send(records)
  if (records[0]!.topic !== 'dead-letters') return sent
  sent.catch(() => undefined)
}

const withPositionsAhead = (writer: Awaited<ReturnType<Log['claim']>>): Awaited<ReturnType<Log['claim']>> => ({
  ...writer,
  append: (records) =>
    writer.append(
      records.map((record) => {
        const text = record.headers['parcomolo-positions']
        if (text === undefined) return record
        const positions = Object.entries(JSON.parse(text) as Record<string, number>)
        const ahead = JSON.stringify(Object.fromEntries(positions.map(([name, next]) => [name, next + 1])))
        return { ...record, headers: { ...record.headers, 'parcomolo-positions': ahead } }
      })
    )
})
