import { ParcomoloError } from '../base/index.ts'
import type { LogRecord } from '../log/index.ts'
import type { Event } from './component.ts'

/** What both logs take as one batch. */
const batchBytesMax = 16 * 1024 * 1024
/** Of it for the batch's own head, and for the positions in its first record: one for each source of inputs. */
const headBytesMax = 256 * 1024
/** Of a record beside its texts and its value: lengths, time, offset, and the names of headers. */
const recordHeadBytesMax = 128
/** Of a character. */
const textBytesMax = 3

/** What always fits into a batch that has not reached its aim yet. */
export const partBytesMax = (aim: number): number => batchBytesMax - headBytesMax - aim

/** What a record has at most, as it is written. */
export const bytesMost = (key: string, value: Uint8Array, header = ''): number =>
  textBytesMax * (key.length + header.length) + value.length + recordHeadBytesMax

/** What is to be journaled as one batch: the records are those of the events. */
export type Decided = {
  readonly events: readonly Event[]
  readonly records: LogRecord[]
  /** At most. */
  readonly bytes: number
}

/**
 * What has been decided and is not yet journaled. Parts are added whole until the aim is reached, so a part may be as
 * large as the room that a batch has which is not full.
 */
export class Batch {
  readonly #aim: number
  #events: Event[] = []
  #records: LogRecord[] = []
  #bytes = 0

  constructor(aim: number) {
    this.#aim = aim
  }

  get count(): number {
    return this.#records.length
  }

  get isFull(): boolean {
    return this.#bytes >= this.#aim
  }

  /** False for what no batch would take. */
  takes({ bytes }: Decided): boolean {
    return bytes <= partBytesMax(this.#aim)
  }

  /** Adds what follows from one input, and which it takes. */
  add({ events, records, bytes }: Decided): void {
    for (const event of events) this.#events.push(event)
    for (const record of records) this.#records.push(record)
    this.#bytes += bytes
  }

  /** Hands over what there is, and begins anew. */
  take(): Decided {
    const taken = { events: this.#events, records: this.#records, bytes: this.#bytes }
    this.#events = []
    this.#records = []
    this.#bytes = 0
    return taken
  }
}

/** `cause`: what it follows from. */
export const tooLarge = (cause: string, { events, bytes }: Decided, aim: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_TOO_LARGE',
    `what follows from ${cause} has '${bytes}' bytes in ${events.length} events; expected at most ` +
      `'${partBytesMax(aim)}', as it is journaled as one batch; put less into it`
  )
