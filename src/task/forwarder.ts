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
const waitingMax = 5000
const waitingBytesMax = 8 * 1024 * 1024

/** One inbox partition: what waits to be sent there, in order, of which the first ones are perhaps under way. */
type Outbox = { waiting: Outgoing[]; isSending: boolean }

/**
 * Brings the commands of one journal partition to their inboxes.
 *
 * F1. For each inbox partition in journal order, and the next send only after the last was acknowledged; a send whose
 *     outcome is unknown is repeated as it was. So an inbox partition sees the sequences of this journal rise, but for
 *     repeats, which its reader drops (inputs.ts).
 * F2. `forwarded` never passes a command that is not acknowledged. It is journaled with a later batch; after a crash
 *     all from there on is sent again.
 * F3. An inbox that takes nothing holds up nothing but its own commands. A snapshot names them one by one (`behind`),
 *     so that a start does not read all that has been journaled since.
 */
export class Forwarder {
  readonly #log: Log
  readonly #patience: Patience
  readonly #source: string
  readonly #fail: (error: unknown) => void
  readonly #outboxes = new Map<string, Outbox>()
  #count = 0
  #bytes = 0
  /** Everything below it has been given to `add`. */
  #seen: number
  #relieved = Promise.withResolvers<void>()
  #stopped = false

  constructor({ log, patience, journal, from, fail }: ForwarderDeps) {
    this.#log = log
    this.#patience = patience
    this.#source = sourceOf(journal)
    this.#fail = fail
    this.#seen = from
  }

  /** All commands of events below this journal offset are in their inboxes. */
  get forwarded(): number {
    let first = this.#seen
    for (const { waiting } of this.#outboxes.values())
      if (waiting.length > 0) first = Math.min(first, sequenceOf(waiting[0]!))
    return first
  }

  /** The offsets of the events whose commands are not in their inboxes; undefined where there are more than so many. */
  behind(countMax: number): readonly number[] | undefined {
    if (this.#count > countMax) return undefined
    const sequences = [...this.#outboxes.values()].flatMap(({ waiting }) => waiting.map(sequenceOf))
    return [...new Set(sequences)].sort((a, b) => a - b)
  }

  /** While too much is waiting: resolves when it is no longer, or the forwarder was stopped. */
  relief(): Promise<void> | undefined {
    return this.#isFull && !this.#stopped ? this.#relieved.promise : undefined
  }

  /** Takes the commands of the event at this offset; offsets come in order, each once. */
  add(commands: readonly Command[], offset: number, timestamp: number): void {
    this.#seen = offset + 1
    if (commands.length === 0) return
    const records = commands.map((command) => this.#record(command, offset, timestamp))
    if (records.length > 1 && new Set(records.map(placeName)).size < records.length) throw sameSequence(offset)
    for (const record of records) {
      this.#outboxOf(record).waiting.push(record)
      this.#count++
      this.#bytes += recordBytes(record)
    }
  }

  /** Sets out with what was added; a send that is under way to the same inbox goes on with it. */
  kick(): void {
    if (this.#count === 0 || this.#stopped) return
    for (const outbox of this.#outboxes.values())
      if (outbox.waiting.length > 0 && !outbox.isSending) this.#start(outbox)
  }

  stop(): void {
    this.#stopped = true
    this.#relieved.resolve()
  }

  #start(outbox: Outbox): void {
    this.#run(outbox).catch((error: unknown) => {
      if (!this.#stopped) this.#fail(error)
    })
  }

  async #run(outbox: Outbox): Promise<void> {
    outbox.isSending = true
    while (outbox.waiting.length > 0 && !this.#stopped) {
      const batch = nextSend(outbox.waiting)
      if (!(await this.#patience.until(() => this.#log.send(batch)))) return
      outbox.waiting = outbox.waiting.slice(batch.length)
      this.#count -= batch.length
      for (const record of batch) this.#bytes -= recordBytes(record)
      this.#relieve()
    }
    // In the same turn as the last look at what waits, or what is added by then would be sent by nobody.
    outbox.isSending = false
  }

  get #isFull(): boolean {
    return this.#count >= waitingMax || this.#bytes >= waitingBytesMax
  }

  #relieve(): void {
    if (this.#isFull) return
    this.#relieved.resolve()
    this.#relieved = Promise.withResolvers()
  }

  #outboxOf(record: Outgoing): Outbox {
    const name = placeName(record)
    const known = this.#outboxes.get(name)
    if (known !== undefined) return known
    const outbox: Outbox = { waiting: [], isSending: false }
    this.#outboxes.set(name, outbox)
    return outbox
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
        ...(command.expiresAt === undefined ? {} : { [header.expiryTime]: new Date(command.expiresAt).toISOString() }),
        [header.sequence]: String(offset),
        ...(command.seen === undefined ? {} : { [header.positions]: JSON.stringify(command.seen) })
      }
    }
  }
}

const sequenceOf = ({ headers }: Outgoing): number => Number(headers[header.sequence])

const nextSend = (waiting: readonly Outgoing[]): Outgoing[] => {
  let [count, bytes] = [0, 0]
  while (count < Math.min(waiting.length, recordsPerSendMax)) {
    const own = recordBytes(waiting[count]!)
    if (count > 0 && bytes + own > sendBytesMax) break
    bytes += own
    count++
  }
  return waiting.slice(0, count)
}

const sameSequence = (offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the event at offset '${offset}' sends several commands to one inbox partition, whose reader would take ` +
      'all but the first for repeats; expected an event for each'
  )
