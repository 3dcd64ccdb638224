import type { Codec } from '../../src/contract/index.ts'
import type { Log, LogRecord, StoredRecord } from '../../src/log/index.ts'
import { type Faults, noFaults } from '../helpers/simulated-log.ts'
import { instead } from './other-log.ts'
import type { Wrap } from './shop-node.ts'
import type { Role } from './shop-roles.ts'
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

/** Long enough that backlogs come to be and are worked off in it. */
const troubles = { orders: 30, stormMs: 60_000, absences: 4, slowdowns: 2 }

const awayCluster: Case = { ...cluster, nodes: 2, partitions: 2, ...troubles }

const awayLaptop: Case = { ...laptop, ...troubles, crashes: 8, forgets: 0.4 }

const awayChoreography: Case = { ...awayCluster, flow: 'choreography', cancels: 0.6, absences: 6, slowdowns: 4 }

/** What is sent again here, nobody has lost. */
const quietAway: Case = {
  ...{ ...awayCluster, nodes: 1, partitions: 1, window: 4, faults: noFaults },
  ...{ crashes: 0, pauses: 0, rebalances: 0, edits: 0, absences: 8 }
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
  'a laptop on which others write garbage': [3, { ...laptop, orders: 6, garbage: 60 }, ['garbage', 'lost']]
}

/** Bugs put between the shop and its log, which a run has to find on one of its first seeds, some as what they are. */
export const plantedBugs: Readonly<Record<string, Case & { readonly finds?: RegExp }>> = {
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
  'attempts that count as read when they are sent': { ...awayCluster, absences: 6, wrap: (log) => withAllRead(log) },
  'a lane that is behind what it has begun': { ...awayCluster, window: 1, wrap: (log) => withLanesMoved(log, -1) },
  'a lane that is ahead of what it has begun': { ...awayCluster, window: 1, wrap: (log) => withLanesMoved(log, 1) },
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
  'a payment that charges again where it is to refund': {
    ...awayCluster,
    cancels: 0.6,
    wrap: chargingAgain,
    finds: /9\.2 money: .* was captured twice/
  },
  'a payment that charges again where it is to refund, as choreography': {
    ...awayChoreography,
    wrap: chargingAgain,
    finds: /9\.2 money: .* was captured twice/
  },
  'a saga that takes a captured payment for a failed one': {
    ...awayCluster,
    wrap: hearing('orchestrator', { PaymentSucceeded: 'payment.PaymentFailed' }),
    finds: /9\.2 money: .* is REJECTED, but its payment was not refunded/
  },
  'a payment that does not hear of cancels, as choreography': {
    ...awayChoreography,
    wrap: hearing('payment', { OrderCancelled: undefined }),
    finds: /9\.2 money: .* is CANCELLED, but its payment was not refunded/
  },
  'a payment that takes every confirmation for a cancel, as choreography': {
    ...awayChoreography,
    wrap: hearing('payment', { OrderConfirmed: 'order.OrderCancelled' }),
    finds: /9\.2 money: .* is COMPLETED, but it was refunded/
  },
  'a saga that takes a refusal to confirm for a confirmation': {
    ...awayCluster,
    cancels: 0.6,
    wrap: hearing('orchestrator', { OrderNotConfirmable: 'order.OrderConfirmed', OrderCancelled: undefined }),
    finds: /9\.3 orders: .* is CANCELLED, but it was shipped/
  },
  'a shipping that does not wait for the order, as choreography': {
    ...awayChoreography,
    wrap: hearing('shipping', { OrderNotConfirmable: 'order.OrderConfirmed', OrderCancelled: undefined }),
    finds: /9\.3 orders: .* is CANCELLED, but it was shipped/
  },
  'an inventory that does not hear of cancels, as choreography': {
    ...awayChoreography,
    wrap: hearing('inventory', { OrderCancelled: undefined }),
    finds: /9\.1 stock: .* is CANCELLED, but its goods are not back/
  },
  'a disk that loses the ends of its partitions one by one': {
    ...laptop,
    orders: 40,
    crashes: 14,
    faults: { ...noFaults, slowDisk: 1 },
    spoil: ({ broker }) => (broker.hasOneOrder = false)
  }
}

/** By type: the event of another type that is heard of in its place, or none. */
type Mishearing = Readonly<Record<string, string | undefined>>

/** One role mishears: it is told what both events have, and nothing else. */
function hearing(who: Role, mishearing: Mishearing): Wrap {
  return (log, role, codec) =>
    role === who ? reading(log, (record) => ({ ...record, value: misheard(record.value, mishearing, codec) })) : log
}

const misheard = (value: Uint8Array | null, mishearing: Mishearing, codec: Codec): Uint8Array | null => {
  if (value === null || !codec.knows(value)) return value
  const event = codec.decode(value)
  if (!(event.type in mishearing)) return value
  const other = mishearing[event.type]
  return other === undefined ? null : codec.encode(`parcomolo.${other}`, { reason: 'misheard', ...event.value })
}

function chargingAgain(...[log, role, codec]: Parameters<Wrap>): Log {
  if (role !== 'payment') return log
  const charged = (record: LogRecord): LogRecord => {
    const event = record.value === null ? undefined : codec.decode(record.value)
    if (event?.type !== 'PaymentRefunded' || event.value['amountCents'] === 0) return record
    const capture = { ...event.value, paymentId: 'again', currency: 'EUR' }
    return { ...record, value: codec.encode('parcomolo.payment.PaymentSucceeded', capture) }
  }
  return instead(log, {
    claim: async (place) => {
      const writer = await log.claim(place)
      if (place.topic !== 'payment-events') return writer
      return { ...writer, append: (records) => writer.append(records.map(charged)) }
    }
  })
}

const withoutWaiting: (log: Log, records: Parameters<Log['send']>[0]) => Promise<void> = async (log, records) => {
  const sent = log.send(records)
  if (records[0]!.topic !== 'dead-letters') return sent
  sent.catch(() => undefined)
}

const withLanesMoved = (log: Log, by: number): Log =>
  instead(log, { claim: async (place) => withMoved(await log.claim(place), 'parcomolo-lanes', by) })

type Writer = Awaited<ReturnType<Log['claim']>>

const withPositionsAhead = (writer: Writer): Writer => withMoved(writer, 'parcomolo-positions', 1)

/** A log by which one header with positions says something else than its writer wants. */
const withMoved = (writer: Writer, name: string, by: number): Writer => ({
  ...writer,
  append: (records) =>
    writer.append(
      records.map((record) => {
        const text = record.headers[name]
        if (text === undefined) return record
        const positions = Object.entries(JSON.parse(text) as Record<string, number>)
        const moved = JSON.stringify(Object.fromEntries(positions.map(([place, next]) => [place, next + by])))
        return { ...record, headers: { ...record.headers, [name]: moved } }
      })
    )
})

/** Each journal that is read says of all that was sent by then that it was read. */
const withAllRead = (log: Log): Log => {
  const sent = new Map<string, number>()
  const told = (record: StoredRecord): StoredRecord => withPositions(record, (positions) => [...positions, ...sent])
  return {
    ...reading(log, told),
    send: (records) => {
      for (const { topic, partition, headers } of records)
        if (headers['ce_source']?.startsWith('/saga-events/') === true)
          sent.set(`from:${headers['ce_source'].slice(1)}@${topic}/${partition}`, Number(headers['ce_sequence']) + 1)
      return log.send(records)
    }
  }
}

/** Of most records nobody hears how far their writer has read what was sent to it. */
const withTracesLost = (log: Log): Log =>
  reading(log, (record) =>
    record.offset % 10 < 3
      ? record
      : withPositions(record, (positions) => positions.filter(([name]) => !name.startsWith('from:')))
  )

type Entries = readonly (readonly [name: string, next: number])[]

const withPositions = (record: StoredRecord, change: (positions: Entries) => Entries): StoredRecord => {
  const text = record.headers['parcomolo-positions'] ?? '{}'
  const positions = change(Object.entries(JSON.parse(text) as Record<string, number>))
  return {
    ...record,
    headers: { ...record.headers, 'parcomolo-positions': JSON.stringify(Object.fromEntries(positions)) }
  }
}

/** A log that is read otherwise than it was written. */
const reading = (log: Log, change: (record: StoredRecord) => StoredRecord): Log =>
  instead(log, {
    reader: (starts, isolation) => {
      const reader = log.reader(starts, isolation)
      return {
        take: (recordsMax, bytesMax) =>
          reader.take(recordsMax, bytesMax).map((chunk) => ({ ...chunk, records: chunk.records.map(change) })),
        ready: () => reader.ready(),
        close: () => reader.close()
      }
    }
  })
