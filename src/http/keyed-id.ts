import { createHmac } from 'node:crypto'
import { sha256Hex } from '../base/index.ts'

/** The same key is the same thing. Keys can be guessed, and who has an id may look at what it names and change it. */
export const keyedId = (secret: Uint8Array | null, kind: string, idempotencyKey: string): string => {
  const text = `${kind}/${idempotencyKey}`
  return (secret === null ? sha256Hex(text) : createHmac('sha256', secret).update(text).digest('hex')).slice(0, 32)
}
