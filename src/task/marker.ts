import { type Codec, type Message, readProtocolText } from '../contract/index.ts'
import type { Headers, LogRecord } from '../log/index.ts'
import { header } from './headers.ts'

/**
 * The record that a task writes to its journal beside its events: the fence of a new owner, and positions that no event
 * goes with. It says nothing to others, but it has a value, since there are readers that stop at a record without one.
 * Journals from before have markers without a value, and whoever reads a journal passes over both.
 */
export const markerProtocol = readProtocolText(
  `@namespace("parcomolo.journal")
protocol Journal { record JournalMarker { string owner; } }`,
  'src/task/marker.ts'
)

const { name: type, fullName: markerName } = markerProtocol.records.get('JournalMarker')!

export const isMarker = ({ fullName }: Message): boolean => fullName === markerName

/** What it marks, its headers say. `owner`: who writes it. */
export const markerOf = (codec: Codec, owner: string, timestamp: number, headers?: Headers): LogRecord => ({
  key: '',
  value: codec.encode(markerName, { owner }),
  timestamp,
  headers: { [header.type]: type, ...headers }
})
