import type { Log, StoredRecord, TopicPartition } from '../../src/log/index.ts'
import { header } from '../../src/task/index.ts'
import { schemasOf } from '../e2e/kafka-shop.ts'
import { type AuditRecord, auditSome, type Schemas } from '../helpers/auditor.ts'
import { theShop } from '../helpers/shop-parts.ts'
import { journalsOf } from '../../src/main/system.ts'
import { placesOf } from './following.ts'

export type Judged = {
  readonly placed: number
  readonly ended: number
  readonly wrong: readonly string[]
}

export type Case = {
  readonly log: Log
  /** Orders that have to be there, by what their ids begin with. */
  readonly sent?: { readonly run: string; readonly orders: number }
  /** Orders that were promised to people. */
  readonly acknowledged: readonly string[]
  readonly schemas: (records: readonly AuditRecord[]) => Promise<Schemas>
}

export const schemasAt = (registryUrl: string) => (records: readonly AuditRecord[]) => schemasOf(registryUrl, records)

/** So many orders the auditor looks at as a whole; of all others only whether they have ended. */
const sampleMax = 1_000
const violationsTold = 3

/**
 * Reads the journals after a case: each order that was sent or promised is there once, has ended, and so has its saga.
 * A few bytes an order, however long the journals are.
 */
export const judge = async (one: Case): Promise<Judged> => {
  const seen = await standings(one.log)
  const wrong: string[] = []
  const count = (message: string, found: readonly string[]): void => {
    if (found.length > 0) wrong.push(`${found.length} ${message}: ${found.slice(0, 3).join(', ')}`)
  }
  const that = (is: (standing: number) => boolean): string[] =>
    [...seen].flatMap(([orderId, standing]) => (is(standing) ? [orderId] : []))
  const { run, orders } = one.sent ?? { run: '', orders: seen.size }
  const ours = [...seen.keys()].filter((orderId) => orderId.startsWith(run))
  if (ours.length !== orders) wrong.push(`${orders} orders were sent, and ${ours.length} were placed`)
  count(
    'orders were promised and are not there',
    one.acknowledged.filter((orderId) => !seen.has(orderId))
  )
  count(
    'orders have not ended',
    that((standing) => (standing & bits.ended) === 0)
  )
  count(
    'orders were placed twice',
    that((standing) => (standing & bits.twice) !== 0)
  )
  count(
    'orders have a saga that has not ended',
    that((standing) => (standing & bits.sagaEnded) === 0)
  )
  return {
    placed: seen.size,
    ended: ours.filter((orderId) => (seen.get(orderId)! & bits.ended) !== 0).length,
    wrong: [...wrong, ...(await auditSample(one, [...seen.keys()]))]
  }
}

const bits = { placed: 1, twice: 2, ended: 4, sagaEnded: 8 } as const

/** By order. */
const standings = async (log: Log): Promise<ReadonlyMap<string, number>> => {
  const seen = new Map<string, number>()
  for (const place of placesOf(log, 'order-events'))
    await readAll(log, place, ({ key, headers }) => {
      const bit = bitOf[headers[header.type] ?? '']
      if (bit === undefined) return
      const before = seen.get(key) ?? 0
      seen.set(key, before | bit | (bit === bits.placed && (before & bit) !== 0 ? bits.twice : 0))
    })
  for (const place of placesOf(log, 'saga-events'))
    await readAll(log, place, ({ key, headers }) => {
      const before = seen.get(key)
      if (before !== undefined && sagaEnds.has(headers[header.type] ?? '')) seen.set(key, before | bits.sagaEnded)
    })
  return seen
}

const bitOf: Readonly<Record<string, number>> = {
  OrderPlaced: bits.placed,
  OrderCompleted: bits.ended,
  OrderRejected: bits.ended,
  OrderCancelled: bits.ended
}
const sagaEnds = new Set(['SagaCompleted', 'SagaCompensated'])

/** Some orders of the first partition, from the first to the last, each with all that was recorded of it. */
const auditSample = async ({ log, schemas }: Case, orderIds: readonly string[]): Promise<string[]> => {
  const here = new Set<string>()
  const [first] = placesOf(log, 'order-events')
  await readAll(log, first!, ({ key }) => here.add(key))
  const candidates = orderIds.filter((orderId) => here.has(orderId))
  const stride = Math.ceil(candidates.length / sampleMax)
  const sample = new Set(candidates.filter((_, i) => i % stride === 0))
  const records: AuditRecord[] = []
  for (const topic of journals) {
    const place = { topic, partition: 0 }
    await readAll(log, place, (record) => {
      if (sample.has(record.key))
        records.push({ ...place, ...record, value: record.value && Buffer.from(record.value) })
    })
  }
  const input = { records, schemas: await schemas(records), isQuiet: true, now: Date.now() }
  const found = auditSome({ ...input, flow: 'orchestration' })
  const told = found.slice(0, violationsTold).map(({ rule, message }) => `${rule}: ${message}`)
  return found.length > told.length ? [...told, `and ${found.length - told.length} like these`] : told
}

const journals = journalsOf(theShop)

export const readAll = async (log: Log, place: TopicPartition, look: (record: StoredRecord) => void): Promise<void> => {
  for await (const records of log.read(place, 0, await log.end(place))) for (const record of records) look(record)
}
