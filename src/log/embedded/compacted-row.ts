import { crc32 } from 'node:zlib'
import type { LogRecord, StoredRecord } from '../log.ts'

/** A row as it is stored: a record, its headers as JSON, and a CRC-32 of both, which rows of earlier releases lack. */
export type Row = {
  readonly offset: number
  readonly key: string
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: string
  readonly crc: number | null
}

export const rowOf = (record: LogRecord, offset: number): Row => {
  const { key, value, timestamp } = record
  const headers = JSON.stringify(record.headers)
  return { offset, key, value, timestamp, headers, crc: crcOf(headOf(offset, key, timestamp, headers), value) }
}

/** Whether it is as it was written, as far as that can be told. */
export const isWhole = ({ offset, key, value, timestamp, headers, crc }: Row): boolean =>
  crc === null || crc === crcOf(headOf(offset, key, timestamp, headers), value)

export const recordOf = ({ offset, key, value, timestamp, headers }: Row): StoredRecord => ({
  key,
  value,
  timestamp,
  headers: JSON.parse(headers) as Record<string, string>,
  offset
})

const headOf = (offset: number, key: string, timestamp: number, headers: string): string =>
  `${offset} ${timestamp} ${key} ${headers}`

const crcOf = (head: string, value: Uint8Array | null): number => {
  const crc = crc32(head)
  return value === null ? ~crc >>> 0 : crc32(value, crc)
}
