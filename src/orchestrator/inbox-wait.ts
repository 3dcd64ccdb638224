import { partitionOf } from '../base/index.ts'
import type { Codec, Contract, Contracts } from '../contract/index.ts'
import { type Log, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import { header, lastSequence, parsePositions, sequencePosition, sourceOf } from '../task/index.ts'

/** A command that lies in an inbox and was not read yet. */
export type InboxWait = {
  readonly inbox: string
  readonly partition: number
  /** How many commands of sagas stand before it there, unread as well: at least, where `isCounted` is false. */
  readonly before: number
  readonly isCounted: boolean
}

export type InboxWaitDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly contracts: () => Contracts
  /** Whether the journal of this participant tells how far it has read its inbox. */
  readonly tellsReading: (participant: string) => boolean
}

/** So far back a participant's journal is searched for how far it has read, and the journal of sagas for what waits. */
const recordsBackMax = 2_000
const recordsBeforeMax = 20_000
const recordsPerLook = 500

/**
 * Where the command waits that the event at this place of `saga-events` has issued; undefined where it was read, or
 * where nothing tells. It is read from the log when it is asked for: nobody keeps it. Rejects where the log cannot be
 * read.
 */
export const inboxWaitOf = async (
  deps: InboxWaitDeps,
  place: TopicPartition,
  offset: number
): Promise<InboxWait | undefined> => {
  const { log, contracts } = deps
  const [issued] = await recordsIn(log, place, offset, offset + 1)
  const inbox = issued === undefined ? undefined : inboxOf(deps, issued)
  const contract = contracts().all.find((one) => one.inbox === inbox?.topic)
  if (inbox === undefined || contract === undefined) return undefined
  const read = deps.tellsReading(contract.participant) ? readByJournal : readByGroup
  const readTo = await read(log, place, inbox, contract)
  if (readTo === undefined || readTo > offset) return undefined
  return {
    inbox: inbox.topic,
    partition: inbox.partition,
    ...(await countBefore(deps, place, inbox, { readTo, offset }))
  }
}

/** The commands to this inbox partition that events between these offsets have issued. */
const countBefore = async (
  deps: InboxWaitDeps,
  source: TopicPartition,
  inbox: TopicPartition,
  { readTo, offset }: { readonly readTo: number; readonly offset: number }
): Promise<Pick<InboxWait, 'before' | 'isCounted'>> => {
  const from = Math.max(readTo, offset - recordsBeforeMax)
  let before = 0
  for await (const records of deps.log.read(source, from, offset)) {
    const inboxes = records.flatMap((record) => inboxOf(deps, record) ?? [])
    before += inboxes.filter((other) => placeName(other) === placeName(inbox)).length
  }
  return { before, isCounted: from === readTo }
}

/** Where the command went that a record of `saga-events` has issued, if it has. */
const inboxOf = ({ log, codec }: InboxWaitDeps, { headers, key, value }: StoredRecord): TopicPartition | undefined => {
  if (headers[header.type] !== 'CommandIssued' || value === null) return undefined
  const { inbox: topic, recordKey } = codec.decode(value).value as { inbox: string; recordKey: string }
  return { topic, partition: partitionOf(recordKey || key, log.partitionCount(topic)) }
}

/** The sequence up to which a participant of this runtime has read, by its own journal. */
const readByJournal = async (
  log: Log,
  source: TopicPartition,
  inbox: TopicPartition,
  { events }: Contract
): Promise<number | undefined> => {
  if (inbox.partition >= log.partitionCount(events)) return undefined
  const journal = { topic: events, partition: inbox.partition }
  const name = sequencePosition(sourceOf(source), placeName(inbox))
  const end = await log.end(journal)
  const first = Math.max(0, end - recordsBackMax)
  for (let to = end; to > first; to -= recordsPerLook) {
    const records = await recordsIn(log, journal, Math.max(first, to - recordsPerLook), to)
    const told = records.findLast(({ headers }) => parsePositions(headers)[name] !== undefined)
    if (told !== undefined) return parsePositions(told.headers)[name]
  }
  return first === 0 ? 0 : undefined
}

/** The sequence up to which a foreign participant has read, by what its group has committed. */
const readByGroup = async (
  log: Log,
  source: TopicPartition,
  inbox: TopicPartition,
  { group }: Contract
): Promise<number | undefined> => {
  if (group === undefined || log.committed === undefined) return undefined
  const committed = (await log.committed(group, inbox.topic)).get(inbox.partition)
  if (committed === undefined) return undefined
  const last = await lastSequence(log, sourceOf(source), inbox, committed)
  return last === undefined ? undefined : last + 1
}

const recordsIn = async (log: Log, place: TopicPartition, from: number, to: number): Promise<StoredRecord[]> => {
  const all: StoredRecord[] = []
  for await (const records of log.read(place, from, to)) all.push(...records)
  return all
}
