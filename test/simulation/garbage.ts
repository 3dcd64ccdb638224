import { ParcomoloError, partitionOf } from '../../src/base/index.ts'
import { type Codec, learnSchemas } from '../../src/contract/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../../src/log/index.ts'
import { type AuditRecord, at, type Violation, violation } from '../helpers/auditor/events.ts'
import type { SimulatedCluster } from '../helpers/simulated-log.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'
import type { VirtualTime } from '../helpers/virtual-time.ts'

const mark = 'garbage'
const inboxes = ['order-commands', 'inventory-commands', 'payment-commands', 'shipping-commands']

const isGarbage = ({ headers }: Pick<AuditRecord, 'headers'>): boolean => headers[mark] !== undefined

/** Foreign clients write so many records, which say nothing to anybody, to the inboxes within this time. */
export const planGarbage = (
  count: number,
  withinMs: number,
  { broker, time }: SimulatedCluster,
  codec: Codec
): void => {
  for (let i = 0; i < count; i++) {
    time.after(time.random() * withinMs, () => {
      const topic = time.pick(inboxes)
      const partitions = broker.partitionCount(topic)
      const partition = Math.floor(time.random() * partitions)
      const record = recordOf(time, `garbage-${i}`, { topic, partition, partitions }, codec)
      const offset = broker.add(broker.partition({ topic, partition }), [record])
      time.note(`somebody writes garbage to ${topic}/${partition}/${offset}`)
    })
  }
}

type Target = TopicPartition & { readonly partitions: number }

const recordOf = (time: VirtualTime, key: string, target: Target, codec: Codec): Omit<StoredRecord, 'offset'> => {
  const { topic, partition, partitions } = target
  const command = codec.encode('parcomolo.order.CancelOrder', { orderId: key, reason: '' })
  const elsewhere = codec.encode('parcomolo.payment.RefundPayment', { orderId: key })
  const record = { key, value: command, timestamp: time.now(), headers: { [mark]: key } }
  const header = (name: string, value: string) => ({ ...record, headers: { ...record.headers, [name]: value } })
  return time.pick([
    { ...record, value: Buffer.from('no avro') },
    { ...record, value: command.subarray(0, -1) },
    { ...record, value: Buffer.from('00ffffffff00', 'hex') },
    { ...record, value: null },
    { ...record, value: topic === 'payment-commands' ? command : elsewhere },
    // A good command, for two components, where it does not stand in the partition of its key.
    ...(partitionOf(key, partitions) === partition
      ? []
      : [{ ...record, value: topic === 'payment-commands' ? elsewhere : command }]),
    { ...record, key: '' },
    header('ce_id', ''),
    header('ce_attempt', 'first'),
    { ...header('ce_sequence', 'NaN'), headers: { [mark]: key, ce_source: '/saga-events/0', ce_sequence: 'NaN' } }
  ])
}

/** True where garbage stands at `<topic>/<partition>/<offset>`. */
export const standsAt = (place: string, { broker }: SimulatedCluster): boolean => {
  const end = place.lastIndexOf('/')
  const record = broker.partitions.get(place.slice(0, end))?.records[Number(place.slice(end + 1))]
  return record !== undefined && isGarbage(record)
}

/** A registry that knows no more schemas than the codec, and that often cannot be reached. */
export const learnerOf = (process: SimulatedProcess, time: VirtualTime, codec: Codec) => {
  const schema = async (id: number): Promise<never> => {
    await process.wait(time.between(1, 200))
    if (time.chance(0.4))
      throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'the registry is away', { retryable: true })
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNKNOWN_ID', `unknown schema id '${id}'`)
  }
  return (values: Iterable<Uint8Array | null>): Promise<void> | undefined => learnSchemas(codec, { schema }, values)
}

/** What the auditor is to read: it knows nothing of records that nobody can read, only that they stand there. */
export const withoutGarbage = (records: readonly AuditRecord[]): AuditRecord[] =>
  records.map((record) => (isGarbage(record) && record.topic !== 'dead-letters' ? { ...record, value: null } : record))

const rule = 'dead letters'

/** Every record that cannot be read has its letter, with all that it had; and no other record has one. */
export const auditLetters = (
  records: readonly AuditRecord[]
): { violations: Violation[]; garbage: number; doubled: number } => {
  const letters = records.filter(({ topic }) => topic === 'dead-letters')
  const garbage = records.filter((record) => record.topic !== 'dead-letters' && isGarbage(record))
  const byOrigin = Map.groupBy(letters, originOf)
  const violations = garbage.flatMap((record) => {
    const own = byOrigin.get(at(record)) ?? []
    byOrigin.delete(at(record))
    if (own.length === 0) return [violation(rule, `nobody has written a letter of ${at(record)}`, record)]
    return own
      .filter((letter) => !isLetterOf(letter, record))
      .map((letter) => violation(rule, 'a letter is not like its record', letter, record))
  })
  for (const [origin, of] of byOrigin) violations.push(violation(rule, `${origin} has a letter without a cause`, ...of))
  return { violations, garbage: garbage.length, doubled: letters.length - garbage.length }
}

const originOf = ({ headers }: AuditRecord): string => {
  const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) => headers[`parcomolo-dead-${name}`])
  return `${placeName({ topic: topic ?? '', partition: Number(partition) } satisfies TopicPartition)}/${offset}`
}

const isLetterOf = (letter: AuditRecord, { key, value, timestamp, headers }: AuditRecord): boolean =>
  letter.key === key &&
  letter.timestamp === timestamp &&
  (value === null ? letter.value === null : letter.value !== null && Buffer.compare(letter.value, value) === 0) &&
  Object.entries(headers).every(([name, text]) => letter.headers[name] === text)
