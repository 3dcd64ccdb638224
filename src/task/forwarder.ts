import { ParcomoloError, partitionOf } from '../base/index.ts'
import { type Log, type LogRecord, placeName, recordBytes, type TopicPartition } from '../log/index.ts'
import type { Command } from './component.ts'
import { header, sourceOf } from './headers.ts'
import type { Patience } from './patience.ts'

type Outgoing = LogRecord & TopicPartition

export type ForwarderDeps = {
  readonly log: Log
  /** To be stopped together with the forwarder. */
  readonly patience: Patience
  readonly journal: TopicPartition
  /** The journal offset below which all is forwarded already. */
  readonly from: number
  readonly fail: (error: unknown) => void
}

/** Bounds one send; a single command may be larger. */
const recordsPerSendMax = 1000
const sendBytesMax = 1024 * 1024
/** The task takes no new input while this much is waiting. */
const waitingMax = 4000
const waitingBytesMax = 8 * 1024 * 1024

/**
 * Brings the commands of one journal partition to their inboxes.
 *
 * F1. In journal order, and the next send only after the last was acknowledged; a send whose outcome is unknown is
 *     repeated as it was.
 *     So an inbox partition sees the sequences of this journal rise, but for repeats, which its reader drops
 *     (inputs.ts).
 * F2. `forwarded` never passes a command that is not acknowledged. It is journaled with a later batch; after a crash
 *     all from there on is sent again.
 */
export class Forwarder {
  /** All commands of events below this journal offset are in their inboxes. */
  forwarded: number
  readonly #log: Log
  readonly #patience: Patience
  readonly #source: string
  readonly #fail: (error: unknown) => void
  #waiting: Outgoing[] = []
  #waitingBytes = 0
  /** Everything below it has been given to `add`. */
  #seen: number
  #running: Promise<void> | undefined
  #stopped = false
  readonly #stop = Promise.withResolvers<void>()

  constructor({ log, patience, journal, from, fail }: ForwarderDeps) {
    this.#log = log
    this.#patience = patience
    this.#source = sourceOf(journal)
    this.#fail = fail
    this.forwarded = from
    this.#seen = from
  }

  /** While too much is waiting: resolves when it has been sent, or the forwarder was stopped. */
  relief(): Promise<void> | undefined {
    const isFull = this.#waiting.length >= waitingMax || this.#waitingBytes >= waitingBytesMax
    if (!isFull || this.#running === undefined) return undefined
    return Promise.race([this.#running, this.#stop.promise])
  }

  /** Takes the commands of the event at this offset; offsets come in order, each once. */
  add(commands: readonly Command[], offset: number, timestamp: number): void {
    const records = commands.map((command) => this.#record(command, offset, timestamp))
    if (records.length > 1 && new Set(records.map(placeName)).size < records.length) throw sameSequence(offset)
    for (const record of records) this.#waitingBytes += recordBytes(record)
    this.#waiting.push(...records)
    this.#seen = offset + 1
  }

  /** Sets out with what was added, unless a send is under way already, which then goes on with it. */
  kick(): void {
    if (this.#running !== undefined || this.#stopped) return
    if (this.#waiting.length === 0) {
      this.forwarded = this.#seen
      return
    }
    this.#running = this.#run().then(
      () => (this.#running = undefined),
      (error: unknown) => {
        this.#running = undefined
        if (!this.#stopped) this.#fail(error)
      }
    ) as Promise<void>
  }

  stop(): void {
    this.#stopped = true
    this.#stop.resolve()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      const batch = this.#next()
      if (!(await this.#patience.until(() => this.#log.send(batch)))) return
      // A later command of the same event may still be waiting, so only what lies below the first waiting one is done.
      const next = this.#waiting[0]
      this.forwarded = next === undefined ? this.#seen : Number(next.headers[header.sequence])
    }
  }

  #next(): Outgoing[] {
    let [count, bytes] = [0, 0]
    while (count < Math.min(this.#waiting.length, recordsPerSendMax)) {
      const own = recordBytes(this.#waiting[count]!)
      if (count > 0 && bytes + own > sendBytesMax) break
      bytes += own
      count++
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  #record(command: Command, offset: number, timestamp: number): Outgoing {
    return {
      topic: command.inbox,
      partition: partitionOf(command.key, this.#log.partitionCount(command.inbox)),
      key: command.key,
      value: command.value,
      timestamp,
      headers: {
        [header.specVersion]: '1.0',
        [header.id]: command.id,
        [header.type]: command.type,
        [header.source]: this.#source,
        [header.subject]: command.key,
        [header.correlationId]: command.correlationId,
        [header.attempt]: String(command.attempt),
        [header.sequence]: String(offset)
      }
    }
  }
}

const sameSequence = (offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the event at offset '${offset}' sends several commands to one inbox partition, whose reader would take ` +
      'all but the first for repeats; expected an event for each'
  )
