import { ParcomoloError } from '../base/index.ts'
import { type LogRecord, recordBytes } from '../log/index.ts'
import type { Event } from './component.ts'

/** What both logs take as one batch. */
const batchBytesMax = 16 * 1024 * 1024
/** Of it for the batch's own head, and for the positions in its first record: one for each source of inputs. */
const headBytesMax = 256 * 1024
/** Of a record beside key, value and headers: lengths, time and offset. */
const recordHeadBytesMax = 64

/** What always fits into a batch that has not reached its aim yet. */
export const partBytesMax = (aim: number): number => batchBytesMax - headBytesMax - aim

/** What a record has at most, as it is written: a character may be three bytes. */
export const bytesMost = (record: LogRecord): number =>
  3 * recordBytes(record) - 2 * (record.value?.length ?? 0) + recordHeadBytesMax

/**
 * What has been decided and is not yet journaled. Parts are added whole until the aim is reached, so a part may be as
 * large as the room that a batch has which is not full.
 */
export class Batch {
  readonly #aim: number
  #events: Event[] = []
  #records: LogRecord[] = []
  #bytesMost = 0

  constructor(aim: number) {
    this.#aim = aim
  }

  get count(): number {
    return this.#records.length
  }

  get isFull(): boolean {
    return this.#bytesMost >= this.#aim
  }

  /** Adds what follows from one input; false, and nothing is added, where no batch would take that. */
  add(events: readonly Event[], records: readonly LogRecord[]): boolean {
    const most = records.reduce((sum, record) => sum + bytesMost(record), 0)
    if (most > partBytesMax(this.#aim)) return false
    this.#events.push(...events)
    this.#records.push(...records)
    this.#bytesMost += most
    return true
  }

  /** Hands over what there is, and begins anew. */
  take(): { readonly events: Event[]; readonly records: LogRecord[] } {
    const taken = { events: this.#events, records: this.#records }
    this.#events = []
    this.#records = []
    this.#bytesMost = 0
    return taken
  }
}

/** `cause`: what it follows from, such as "the command 'Add'". */
export const tooLarge = (cause: string, records: readonly LogRecord[], aim: number): ParcomoloError => {
  const bytes = records.reduce((sum, record) => sum + bytesMost(record), 0)
  return new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_TOO_LARGE',
    `what follows from ${cause} has '${bytes}' bytes in ${records.length} events; expected at most ` +
      `'${partBytesMax(aim)}', as it is journaled as one batch; put less into it`
  )
}
