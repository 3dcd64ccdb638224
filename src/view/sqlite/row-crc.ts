import { crc32 } from 'node:zlib'

export type RowValue = string | number | null

/** CRC-32 of a row's columns. */
export const crcOf = (columns: readonly RowValue[]): number => crc32(columns.join('\0'))
