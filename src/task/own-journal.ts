import { ParcomoloError } from '../base/index.ts'
import { type JournalWriter, placeName, type TopicPartition } from '../log/index.ts'
import type { Decided } from './batch.ts'
import type { Component, Event } from './component.ts'
import type { Forwarder } from './forwarder.ts'
import { header } from './headers.ts'
import type { Lanes } from './lanes.ts'
import type { Positions } from './positions.ts'
import type { Recovered } from './recover.ts'

export type OwnJournalDeps = {
  readonly writer: JournalWriter
  readonly component: Pick<Component<never>, 'commandsOf'>
  /** Is told of what is acknowledged. */
  readonly onAppended?: ((event: Event) => void) | undefined
  readonly positions: Positions
  readonly lanes: Lanes
  readonly forwarder: Forwarder
  readonly recovered: Pick<Recovered, 'journalEnd' | 'forwarded' | 'bytes'>
}

/** The journal partition of a task, as its one writer: each batch carries the progress, then its commands go on. */
export class OwnJournal {
  /** The next offset. */
  end: number
  /** What this owner has read and written of it so far. */
  bytes: number
  readonly #deps: OwnJournalDeps
  /** How far it says already that its commands are forwarded. */
  #forwardedRecorded: number

  constructor(deps: OwnJournalDeps) {
    const { journalEnd, bytes, forwarded } = deps.recovered
    this.#deps = deps
    this.end = journalEnd
    this.bytes = bytes
    this.#forwardedRecorded = forwarded
  }

  /** One batch. */
  async append({ records, events, bytes }: Decided, now: number): Promise<void> {
    const { writer, component, forwarder, onAppended } = this.#deps
    records[0] = { ...records[0]!, headers: { ...records[0]!.headers, ...this.#progress() } }
    const base = await writer.append(records)
    if (base !== this.end) throw strangeOffset(writer, base, this.end)
    for (const [i, event] of events.entries()) forwarder.add(component.commandsOf(event), base + i, now)
    // A marker sends nothing, but it is forwarded, too: else a start would read on from the last event before it.
    forwarder.add([], base + records.length - 1, now)
    this.end += records.length
    this.bytes += bytes
    forwarder.kick()
    if (onAppended !== undefined) for (const event of events) onAppended(event)
  }

  #progress(): Record<string, string> {
    const { positions, lanes, forwarder } = this.#deps
    const progress: Record<string, string> = {}
    if (positions.hasChanged) progress[header.positions] = JSON.stringify(positions.takeChanged())
    if (lanes.hasChanged) progress[header.lanes] = JSON.stringify(lanes.takeChanged())
    const { forwarded } = forwarder
    if (forwarded > this.#forwardedRecorded) progress[header.forwarded] = String(forwarded)
    this.#forwardedRecorded = forwarded
    return progress
  }
}

const strangeOffset = (journal: TopicPartition, got: number, expected: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the journal '${placeName(journal)}' gave offset '${got}' to a batch that belongs at '${expected}', ` +
      'so somebody else wrote to it; only its task may'
  )
