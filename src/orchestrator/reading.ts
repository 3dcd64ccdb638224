import type { Definition, SagaInput } from '../saga/index.ts'
import type { Cancellable } from './revisions.ts'

/** An input as one instance sees it; `cancel`: the way of being cancelled by which it is meant. */
export type Reading = {
  readonly entity: string
  readonly input: SagaInput
  /** The definition by which its key was told, and that the instance begins on: the key of another may be another. */
  readonly begins?: Definition
  readonly cancel?: Cancellable['cancel']
  /** Of a start that was handed over: the cancel that has come before it. */
  readonly cancelledBy?: string
}

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`
