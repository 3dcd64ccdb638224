import { ParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { JournalWriter, Log, StoredRecord, TopicPartition } from '../log/index.ts'
import { bytesMost } from './batch.ts'
import type { Command, Component, Event } from './component.ts'
import type { Entities } from './entities.ts'
import { header, parsePositions } from './headers.ts'
import { isMarker, markerOf } from './marker.ts'
import type { Patience } from './patience.ts'
import type { Positions } from './positions.ts'
import { type AtBoundary, type Snapshots, startOf } from './snapshots.ts'

export type Recovered = {
  /** The journal's next offset. */
  readonly journalEnd: number
  /** What the last owner may not have forwarded, in journal order. */
  readonly unforwarded: readonly {
    readonly commands: readonly Command[]
    readonly offset: number
    readonly timestamp: number
  }[]
  readonly forwarded: number
  /** How much of the journal was read since the last snapshot. */
  readonly bytes: number
}

export type Recovery<S> = {
  readonly log: Log
  readonly codec: Codec
  readonly component: Component<S>
  readonly entities: Entities<S>
  readonly positions: Positions
  readonly snapshots: Snapshots<S>
  readonly learn: ((values: Iterable<Uint8Array | null>) => Promise<void> | undefined) | undefined
  readonly patience: Patience
  readonly isStopped: () => boolean
  readonly bytesPerSnapshot: number
}

/**
 * Takes over a journal partition: claim it, write a fence, and then `recover`, which reads up to the fence. What an
 * older owner appended before the fence is read; nothing of it can come after (log port, L2).
 */
export const fenceOff = (writer: JournalWriter, codec: Codec, owner: string, now: number): Promise<number> =>
  writer.append([markerOf(codec, owner, now, { [header.fence]: owner })])

/**
 * Undefined where it is stopped. A long way is gone in pieces, with a snapshot after each: what has ended leaves
 * memory, and who does not get to the end begins farther on the next time.
 */
export const recover = async <S>(
  journal: TopicPartition,
  fence: number,
  recovery: Recovery<S>
): Promise<Recovered | undefined> => {
  const { log, snapshots, positions, bytesPerSnapshot } = recovery
  const marker = (await snapshots.load()) ?? { offset: 0, positions: {}, forwarded: 0 }
  positions.restore(marker.positions)
  const replayed: Replayed = { offset: marker.offset, forwarded: marker.forwarded, bytes: 0, unforwarded: [] }
  for await (const records of log.read(journal, startOf(marker), fence)) {
    if (recovery.isStopped() || !(await replay(recovery, replayed, records))) return undefined
    if (replayed.bytes >= bytesPerSnapshot) await save(recovery, replayed)
  }
  const { unforwarded, forwarded, bytes } = replayed
  return { journalEnd: fence + 1, unforwarded, forwarded, bytes }
}

type Replayed = {
  /** All events below it are in memory. */
  offset: number
  forwarded: number
  /** What was read since the last snapshot. */
  bytes: number
  unforwarded: Recovered['unforwarded']
}

/** False where it was stopped. */
const replay = async <S>(
  recovery: Recovery<S>,
  replayed: Replayed,
  records: readonly StoredRecord[]
): Promise<boolean> => {
  const { component, entities, positions, snapshots, patience, learn } = recovery
  const values = records.map(({ value }) => value)
  if ((await patience.until(() => learn?.(values))) === false) return false
  const events = records.flatMap((record) => toEvent(recovery, record))
  const toFold = events.filter(({ record }) => record.offset >= replayed.offset)
  await snapshots.fetch(() => toFold.flatMap(({ event }) => component.touches(event)))
  for (const { headers } of records) {
    positions.restore(parsePositions(headers))
    replayed.forwarded = Math.max(replayed.forwarded, Number(headers[header.forwarded] ?? 0))
  }
  for (const { event, record } of toFold) entities.apply(event, record.offset)
  const commands = events.map(({ event, record: { offset, timestamp } }) => {
    return { commands: component.commandsOf(event), offset, timestamp }
  })
  replayed.unforwarded = [...replayed.unforwarded, ...commands].filter(
    ({ commands: { length }, offset }) => length > 0 && offset >= replayed.forwarded
  )
  replayed.offset = Math.max(replayed.offset, records.at(-1)!.offset + 1)
  replayed.bytes += bytesOf(records)
  return true
}

/**
 * The positions may be those of a batch of which a part is still to be read; that part is read then. What sends nothing
 * need not be forwarded, whatever the journal says of it.
 */
const save = async <S>({ snapshots, positions, isStopped }: Recovery<S>, replayed: Replayed): Promise<void> => {
  const { offset, unforwarded } = replayed
  const forwarded = unforwarded[0]?.offset ?? offset
  replayed.bytes = 0
  const atBoundary: AtBoundary = async (work) => (isStopped() ? undefined : work(offset))
  await snapshots.write(atBoundary, () => ({ offset, positions: positions.all(), forwarded }))
}

const nothing = new Uint8Array()

const bytesOf = (records: readonly StoredRecord[]): number =>
  records.reduce(
    (sum, { key, value, headers }) => sum + bytesMost(key, value ?? nothing, headers[header.causationId]),
    0
  )

/** The event that a journal record is; none where it is a marker. */
const toEvent = <S>(
  { codec, component }: Recovery<S>,
  record: StoredRecord
): { event: Event; record: StoredRecord }[] => {
  if (record.value === null) return []
  try {
    const message = codec.decode(record.value)
    if (isMarker(message)) return []
    const { type, fullName, value } = message
    const causationId = record.headers[header.causationId]
    const event = {
      key: record.key,
      type,
      fullName,
      value,
      at: record.timestamp,
      ...(causationId === undefined ? {} : { causationId })
    }
    return [{ event, record }]
  } catch (cause) {
    throw new ParcomoloError(
      'PARCOMOLO_TASK_JOURNAL_UNREADABLE',
      `the record at offset '${record.offset}' of the journal '${component.journal}' cannot be read; ` +
        'only its component may write to a journal; find out who wrote it before anything else is done',
      { cause }
    )
  }
}
