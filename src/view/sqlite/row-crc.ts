import { crc32 } from 'node:zlib'

export type RowValue = string | number | null

/** CRC-32 of a row's columns, of which the last is the longest. */
export const crcOf = (...columns: readonly RowValue[]): number => {
  let head = ''
  for (let i = 0; i < columns.length - 1; i++) head += `${columns[i]}\0`
  return crc32(String(columns.at(-1)), crc32(head))
}
