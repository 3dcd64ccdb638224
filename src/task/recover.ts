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
import { type Snapshots, startOf } from './snapshots.ts'

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
  /** How much of the journal was read. */
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
}

/**
 * Takes over a journal partition: claim it, write a fence, and then `recover`, which reads up to the fence. What an
 * older owner appended before the fence is read; nothing of it can come after (log port, L2).
 */
export const fenceOff = (writer: JournalWriter, codec: Codec, owner: string, now: number): Promise<number> =>
  writer.append([markerOf(codec, owner, now, { [header.fence]: owner })])

/** Undefined where it is stopped. */
export const recover = async <S>(
  journal: TopicPartition,
  fence: number,
  recovery: Recovery<S>
): Promise<Recovered | undefined> => {
  const { log, snapshots, positions } = recovery
  const marker = (await snapshots.load()) ?? { offset: 0, positions: {}, forwarded: 0 }
  positions.restore(marker.positions)
  let forwarded = marker.forwarded
  let bytes = 0
  let unforwarded: { commands: readonly Command[]; offset: number; timestamp: number }[] = []
  for await (const records of log.read(journal, startOf(marker), fence)) {
    if (recovery.isStopped()) return undefined
    const values = records.map(({ value }) => value)
    if ((await recovery.patience.until(() => recovery.learn?.(values))) === false) return undefined
    bytes += bytesOf(records)
    const events = records.flatMap((record) => toEvent(recovery, record))
    const toFold = events.filter(({ record }) => record.offset >= marker.offset)
    await snapshots.fetch(() => toFold.flatMap(({ event }) => recovery.component.touches(event)))
    for (const record of records) {
      positions.restore(parsePositions(record.headers))
      forwarded = Math.max(forwarded, Number(record.headers[header.forwarded] ?? 0))
    }
    for (const { event, record } of events) {
      const commands = recovery.component.commandsOf(event)
      if (commands.length > 0) unforwarded.push({ commands, offset: record.offset, timestamp: record.timestamp })
    }
    for (const { event, record } of toFold) recovery.entities.apply(event, record.offset)
    unforwarded = unforwarded.filter(({ offset }) => offset >= forwarded)
  }
  return { journalEnd: fence + 1, unforwarded, forwarded, bytes }
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
