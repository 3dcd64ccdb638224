import type { LogRecord } from './log.ts'

/** What a record counts where bytes are bounded: key, value and headers, one byte for each character of a text. */
export const recordBytes = ({ key, value, headers }: LogRecord): number => {
  let bytes = key.length + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + headers[name]!.length
  return bytes
}

/**
 * What records that have been read take in memory: their bytes as they came, to which values are views; their texts
 * once more; and their objects. Measured with seven headers and values of 20 to 3,000 bytes.
 */
export const heldBytesOf = (bytes: number, count: number): number => bytes + bytes / 2 + count * 400
