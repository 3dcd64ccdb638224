import { ParcomoloError } from '../base/index.ts'
import type { TimerEntry } from './timers.ts'

/** One entity in memory. */
export type Cell<S> = {
  /** The one text for it: whatever else names the key is not kept. */
  readonly key: string
  /** Undefined while it is packed. */
  state: S | undefined
  /** The state as a snapshot has it, a character for each byte: of all that V8 has, a string costs the least. */
  packed: string | undefined
  /** Known while it is packed. */
  hasEnded: boolean
  /** The journal offset after the last event that changed it: what a snapshot of it stands for. */
  version: number
  /** Its entry among the timers. */
  timer: TimerEntry | undefined
  /** When it was asked for last. */
  period: number
}

/**
 * About what an order's saga holds as it is worked with, and beside its snapshot when it is packed, with its key, its
 * places in maps and lists, and its timer.
 */
export const cellBytes = 3_000
export const packedBytes = ({ packed }: Pick<Cell<unknown>, 'packed'>): number => 400 + packed!.length

/** The period of what is not among those that were asked for. */
export const never = -1

export const newCell = <S>(key: string, state: S, version: number): Cell<S> => ({
  key,
  state,
  packed: undefined,
  hasEnded: false,
  version,
  timer: undefined,
  period: never
})

export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

export const isAsleep = (component: string, key: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `'${key}' of '${component}' was asked for while it sleeps; whatever an input may look at has to be fetched before`
  )

/** What a snapshot has of an entity. */
export type Encoded = { readonly bytes: Uint8Array; readonly version: number; readonly hasEnded: boolean }
