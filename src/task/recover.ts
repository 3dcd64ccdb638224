import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { type JournalWriter, type Log, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import { bytesMost } from './batch.ts'
import type { Command, Component, Event } from './component.ts'
import type { Entities } from './entities.ts'
import { header, parsePositions } from './headers.ts'
import type { LanePositions, Lanes } from './lanes.ts'
import { isMarker, markerOf } from './marker.ts'
import type { Patience } from './patience.ts'
import type { Positions } from './positions.ts'
import { type AtBoundary, behindMax, forwardedOf, type Marker, type Snapshots, startOf } from './snapshots.ts'

type Unforwarded = { readonly commands: readonly Command[]; readonly offset: number; readonly timestamp: number }

export type Recovered = {
  /** The journal's next offset. */
  readonly journalEnd: number
  /** What the last owner may not have forwarded, in journal order. */
  readonly unforwarded: readonly Unforwarded[]
  readonly forwarded: number
  /** How much of the journal was read since the last snapshot. */
  readonly bytes: number
  /** How far time had come when the last owner wrote last; 0 where nobody has. */
  readonly writtenAt: number
}

export type Recovery<S> = {
  readonly log: Log
  readonly codec: Codec
  readonly component: Component<S>
  readonly entities: Entities<S>
  readonly positions: Positions
  readonly lanes: Lanes
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
  const { log } = recovery
  const marker = await loadMarker(journal, fence, recovery)
  restoreMarker(marker, recovery)
  const forwarding = new Forwarding(marker)
  let [bytes, writtenAt] = [0, timeOf(marker)]
  for (const offset of marker.behind ?? []) {
    for await (const records of log.read(journal, offset, offset + 1))
      if (!(await take(records, { ...recovery, marker, forwarding }))) return undefined
  }
  for await (const records of log.read(journal, startOf(marker), fence)) {
    if (!(await take(records, { ...recovery, marker, forwarding }))) return undefined
    bytes += bytesOf(records)
    const { offset: last, timestamp } = records.at(-1)!
    const offset = last + 1
    writtenAt = Math.max(writtenAt, timestamp)
    if (bytes < bytesUntilSave(recovery) || offset < marker.offset) continue
    bytes = 0
    await save(offset, recovery, forwarding, writtenAt)
  }
  return { journalEnd: fence + 1, bytes, writtenAt, ...forwarding.found }
}

/** Where memory is short, less is read before a snapshot makes room again. */
const bytesUntilSave = <S>({ entities, bytesPerSnapshot }: Recovery<S>): number =>
  entities.isCrowded ? Math.min(bytesForRoom, bytesPerSnapshot) : bytesPerSnapshot

const bytesForRoom = 1024 * 1024

/**
 * Refuses a log that ends before what was read of it: those who wait there for more would pass over it. Throws
 * PARCOMOLO_TASK_LOG_LOST.
 */
export const checkReach = async (
  log: Pick<Log, 'end' | 'acceptLoss'>,
  component: string,
  reads: readonly (TopicPartition & { readonly offset: number })[]
): Promise<void> => {
  // Where others may delete from a log, its readers wait for a person each, and the rest goes on.
  if (log.acceptLoss !== undefined) return
  await Promise.all(
    reads.map(async ({ topic, partition, offset }) => {
      if (offset === 0) return
      // Where the end cannot be told, the reader says why.
      const end = await log.end({ topic, partition }).catch(() => offset)
      if (offset > end) throw logLost({ topic, partition }, end, `'${component}' has read it up to`, offset)
    })
  )
}

const logLost = (place: TopicPartition, end: number, what: string, offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_LOG_LOST',
    `'${placeName(place)}' ends at offset '${end}', and ${what} '${offset}': records that had been stored are gone; ` +
      'restore them before anything else is done (parcomolo errors PARCOMOLO_TASK_LOG_LOST)',
    { details: { topic: place.topic, partition: place.partition, end, offset } }
  )

/** The progress may be that of a batch of which a part is still to be read; that part is read then. */
const save = async <S>(
  offset: number,
  { snapshots, positions, lanes, isStopped }: Recovery<S>,
  { found: { unforwarded } }: Forwarding,
  at: number
): Promise<void> => {
  const atBoundary: AtBoundary = async (work) => (isStopped() ? undefined : work(offset))
  const offsets = unforwarded.map((one) => one.offset)
  const behind = offsets.length > behindMax ? undefined : offsets
  const forwarded = forwardedOf(offset, offsets[0] ?? offset, behind)
  const progress = () => ({ offset, positions: positions.all(), lanes: lanes.all(), ...forwarded, at })
  await snapshots.write(atBoundary, progress)
}

/** Beyond the fence they may be of a newer owner, which has fenced this one; beyond the end, of what is gone. */
const loadMarker = async <S>(
  journal: TopicPartition,
  fence: number,
  { log, snapshots, component }: Recovery<S>
): Promise<Marker> => {
  const marker = (await snapshots.load()) ?? { offset: 0, positions: {}, forwarded: 0 }
  const end = marker.offset <= fence ? fence : await log.end(journal)
  if (marker.offset <= end) return marker
  throw logLost(journal, end, `the snapshots of '${component.name}' stand at`, marker.offset)
}

const timeOf = ({ at = 0 }: Marker): number => at

const restoreMarker = <S>(marker: Marker, { positions, lanes, component }: Recovery<S>): void => {
  const isJournaled = marker.lanes === undefined || component.beginnings === undefined
  // What was passed and what of it was put off go into the same batch: one without the other would begin things twice.
  positions.restore(marker.positions, isJournaled)
  lanes.restore(marker.lanes ?? {}, isJournaled)
}

/** What may not be in its inbox yet, of all that has been read of the journal. */
class Forwarding {
  readonly #marker: Marker
  readonly #behind: ReadonlySet<number>
  /** What the journal has said since. */
  #forwarded = 0
  #found: Unforwarded[] = []

  constructor(marker: Marker) {
    this.#marker = marker
    this.#behind = new Set(marker.behind)
  }

  get found(): Pick<Recovered, 'unforwarded' | 'forwarded'> {
    return { unforwarded: this.#found, forwarded: Math.max(this.#marker.forwarded, this.#forwarded) }
  }

  note({ headers }: StoredRecord): void {
    this.#forwarded = Math.max(this.#forwarded, Number(headers[header.forwarded] ?? 0))
  }

  add(one: Unforwarded): void {
    if (one.commands.length > 0 && this.#isOpen(one)) this.#found.push(one)
  }

  forget(): void {
    this.#found = this.#found.filter((one) => this.#isOpen(one))
  }

  readonly #isOpen = ({ offset }: Unforwarded): boolean =>
    offset >= this.#forwarded && (offset >= this.#marker.forwarded || this.#behind.has(offset))
}

/** False where it is stopped. */
const take = async <S>(
  records: readonly StoredRecord[],
  recovery: Recovery<S> & { readonly marker: Marker; readonly forwarding: Forwarding }
): Promise<boolean> => {
  const { component, entities, snapshots, patience, marker, forwarding } = recovery
  if (recovery.isStopped()) return false
  const values = records.map(({ value }) => value)
  if ((await patience.until(() => recovery.learn?.(values))) === false) return false
  const events = records.flatMap((record) => toEvent(recovery, record))
  const toFold = events.filter(({ record }) => record.offset >= marker.offset)
  const { journal } = component
  await snapshots.fetch(() =>
    toFold.flatMap(({ event, record }) => understood(journal, record, () => component.touches(event)))
  )
  for (const record of records) {
    forwarding.note(record)
    restoreProgress(record, marker, recovery)
  }
  for (const { event, record } of events) {
    const { offset, timestamp } = record
    const commands = understood(journal, record, () => component.commandsOf(event))
    forwarding.add({ commands, offset, timestamp })
  }
  for (const { event, record } of toFold) understood(journal, record, () => entities.apply(event, record.offset))
  forwarding.forget()
  return true
}

/** The lanes are told as a whole each time: what came before the snapshot must not be told over what it stands for. */
const restoreProgress = <S>(
  { headers, offset }: StoredRecord,
  marker: Marker,
  { positions, lanes }: Pick<Recovery<S>, 'positions' | 'lanes'>
): void => {
  const said = parsePositions(headers)
  if (offset < marker.offset) return positions.restore(said, true)
  positions.follow(said)
  const putOff = headers[header.lanes]
  if (putOff !== undefined) lanes.restore(JSON.parse(putOff) as LanePositions, true)
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
    throw unreadable(component.journal, record.offset, cause)
  }
}

/** Bytes of another record may have been read as one that there is, and then nothing of it is where it should be. */
const understood = <T>(journal: string, { offset }: StoredRecord, work: () => T): T => {
  try {
    return work()
  } catch (cause) {
    throw cause instanceof TypeError ? unreadable(journal, offset, cause) : cause
  }
}

const unreadable = (journal: string, offset: number, cause: unknown): ParcomoloError => {
  const isLost = isParcomoloError(cause, 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA')
  const remedy = isLost
    ? 'expected the schema registry that it was written with; name that one, or restore what was registered there'
    : 'only its component may write to a journal; find out who wrote it before anything else is done'
  return new ParcomoloError(
    'PARCOMOLO_TASK_JOURNAL_UNREADABLE',
    `the record at offset '${offset}' of the journal '${journal}' cannot be read (${
      cause instanceof Error ? cause.message : String(cause)
    }); ${remedy}`,
    { cause }
  )
}
