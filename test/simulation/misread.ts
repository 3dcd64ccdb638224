/** Logs that stand between the shop and its own, and by which something goes wrong. */
import type { Codec } from '../../src/contract/index.ts'
import type { Log, LogRecord, StoredRecord } from '../../src/log/index.ts'
import { instead } from './other-log.ts'
import type { Wrap } from './shop-node.ts'
import type { Role } from './shop-roles.ts'

/** By type: the event of another type that is heard of in its place, or none. */
type Mishearing = Readonly<Record<string, string | undefined>>

/** One role mishears: it is told what both events have, and nothing else. */
export function hearing(who: Role, mishearing: Mishearing): Wrap {
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

/** Definitions are read otherwise than they were published: their text, and the contracts that go with it. */
export function rewriting(change: (text: string) => string, contracts?: string): Wrap {
  return (log, _, codec) => {
    const rewritten = (record: StoredRecord): StoredRecord => {
      if (record.value === null || !record.key.includes('@') || !codec.knows(record.value)) return record
      const { type, fullName, value } = codec.decode(record.value)
      if (type !== 'DefinitionPublished') return record
      const other = { ...value, yaml: change(String(value['yaml'])), contracts: contracts ?? value['contracts'] }
      return { ...record, value: codec.encode(fullName, other) }
    }
    return {
      ...reading(log, rewritten),
      read: async function* (place, from, to) {
        for await (const records of log.read(place, from, to)) yield records.map(rewritten)
      }
    }
  }
}

/** Orders whose key the points' saga cannot tell. */
export const withoutFailing = (log: Log, codec: Codec): Log =>
  reading(log, (record) => {
    if (record.value === null || !codec.knows(record.value)) return record
    const { type, value } = codec.decode(record.value)
    const isFailing = type === 'OrderPlaced' && Number(String(value['orderId']).split('-')[1]) % 4 === 0
    return isFailing ? { ...record, value: null } : record
  })

export function chargingAgain(...[log, role, codec]: Parameters<Wrap>): Log {
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

/** A task begins by itself what it hands over. */
export function beginningStrangers(...[log, role, codec]: Parameters<Wrap>): Log {
  if (role !== 'orchestrator') return log
  const begun = (record: LogRecord): LogRecord => {
    const event = record.value === null ? undefined : codec.decode(record.value)
    if (event?.type !== 'HandedOver' || event.value['kind'] !== 'start') return record
    const { type: startType, message: start, ...value } = event.value
    const started = { ...value, startType, start, deadlineAt: null }
    return { ...record, value: codec.encode('parcomolo.saga.SagaStarted', started) }
  }
  return instead(log, {
    claim: async (place) => {
      const writer = await log.claim(place)
      if (place.topic !== 'saga-events') return writer
      return { ...writer, append: (records) => writer.append(records.map(begun)) }
    }
  })
}

/** What is handed over is lost on its way. */
export const losingHandedOver = (kind: string): Wrap => {
  return (log, _, codec) =>
    reading(log, (record, topic) => {
      if (topic !== 'orchestrator-commands' || record.value === null || !codec.knows(record.value)) return record
      const { value, fullName } = codec.decode(record.value)
      if (value['kind'] !== kind) return record
      return { ...record, value: codec.encode(fullName, { ...value, saga: 'nobody' }) }
    })
}

export const withoutWaiting: (log: Log, records: Parameters<Log['send']>[0]) => Promise<void> = async (
  log,
  records
) => {
  const sent = log.send(records)
  if (records[0]!.topic !== 'dead-letters') return sent
  sent.catch(() => undefined)
}

export const withLanesMoved = (log: Log, by: number): Log =>
  instead(log, { claim: async (place) => withMoved(await log.claim(place), 'parcomolo-lanes', by) })

type Writer = Awaited<ReturnType<Log['claim']>>

export const withPositionsAhead = (writer: Writer): Writer => withMoved(writer, 'parcomolo-positions', 1)

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
export const withAllRead = (log: Log): Log => {
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
export const withTracesLost = (log: Log): Log =>
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
const reading = (log: Log, change: (record: StoredRecord, topic: string) => StoredRecord): Log =>
  instead(log, {
    reader: (starts, isolation) => {
      const reader = log.reader(starts, isolation)
      return {
        take: (recordsMax, bytesMax) =>
          reader.take(recordsMax, bytesMax).map((chunk) => ({
            ...chunk,
            records: chunk.records.map((record) => change(record, chunk.topic))
          })),
        ready: () => reader.ready(),
        close: () => reader.close()
      }
    }
  })
