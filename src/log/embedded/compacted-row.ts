import { crc32 } from 'node:zlib'
import type { LogRecord, StoredRecord } from '../log.ts'

/** A row as it is stored: the record, its headers as JSON, and a CRC-32 of both, which rows of earlier releases lack. */
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
  return { offset, key, value, timestamp, headers, crc: crcOf(offset, key, value, timestamp, headers) }
}

/** Whether it is as it was written, as far as that can be told. */
export const isWhole = ({ offset, key, value, timestamp, headers, crc }: Row): boolean =>
  crc === null || crc === crcOf(offset, key, value, timestamp, headers)

export const recordOf = ({ offset, key, value, timestamp, headers }: Row): StoredRecord => ({
  key,
  value,
  timestamp,
  headers: JSON.parse(headers) as Record<string, string>,
  offset
})

const crcOf = (offset: number, key: string, value: Uint8Array | null, timestamp: number, headers: string): number => {
  const crc = crc32(`${offset} ${timestamp} ${key} ${headers}`)
  return value === null ? ~crc >>> 0 : crc32(value, crc)
}
