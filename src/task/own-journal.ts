import { ParcomoloError } from '../base/index.ts'
import { type JournalWriter, type LogRecord, placeName, type TopicPartition } from '../log/index.ts'
import type { Component, Event } from './component.ts'
import type { Forwarder } from './forwarder.ts'
import { header } from './headers.ts'
import type { Positions } from './positions.ts'

export type OwnJournalDeps = {
  readonly writer: JournalWriter
  readonly component: Pick<Component<never>, 'commandsOf'>
  readonly positions: Positions
  readonly forwarder: Forwarder
  /** How far the journal says already that its commands are forwarded. */
  readonly forwarded: number
}

/** The journal partition of a task, as its one writer: each batch carries the progress, then its commands go on. */
export class OwnJournal {
  /** The next offset. */
  end: number
  readonly #deps: OwnJournalDeps
  #forwardedRecorded: number

  constructor(deps: OwnJournalDeps, end: number) {
    this.#deps = deps
    this.end = end
    this.#forwardedRecorded = deps.forwarded
  }

  /** One batch: these records, of which the first ones are those of the events. */
  async append(records: LogRecord[], events: readonly Event[], now: number): Promise<void> {
    const { writer, component, forwarder } = this.#deps
    records[0] = { ...records[0]!, headers: { ...records[0]!.headers, ...this.#progress() } }
    const base = await writer.append(records)
    if (base !== this.end) throw strangeOffset(writer, base, this.end)
    for (const [i, event] of events.entries()) forwarder.add(component.commandsOf(event), base + i, now)
    this.end += records.length
    forwarder.kick()
  }

  #progress(): Record<string, string> {
    const { positions, forwarder } = this.#deps
    const progress: Record<string, string> = {}
    if (positions.hasChanged) progress[header.positions] = JSON.stringify(positions.takeChanged())
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
