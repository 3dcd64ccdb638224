import type { Headers, StoredRecord } from '../log/index.ts'
import { deadHeader, header, ownHeaders } from '../task/index.ts'

/** What a dead letter tells of itself; its value and headers stay in the log. */
export type Letter = {
  /** Its number: its offset among the dead letters. */
  readonly offset: number
  readonly component: string
  /** Where the record stands that could not be read. */
  readonly topic: string
  readonly partition: number
  readonly originOffset: number
  /** The record's, which is cut where the value is omitted. */
  readonly key: string
  readonly code: string
  readonly reason: string
  /** RFC 3339. */
  readonly at: string
  /** Bytes of a value that was too long to be kept. */
  readonly omitted: number | undefined
  /** Short record name; undefined where neither headers nor value tell. */
  readonly type: string | undefined
  /** When it was last sent back, RFC 3339; undefined: never. */
  resentAt: string | undefined
}

/** `<topic>/<partition>/<offset>` of the record that could not be read. */
export const originOf = ({ topic, partition, originOffset }: Letter): string => `${topic}/${partition}/${originOffset}`

/** On the note that says that a letter was sent back, since a letter itself cannot be changed: its offset. */
const noteHeader = 'parcomolo-resent-letter'
const noteAtHeader = 'parcomolo-resent-at'

export const noteHeaders = (offset: number, at: string): Headers => ({
  [noteHeader]: String(offset),
  [noteAtHeader]: at
})

/**
 * All letters of the topic, by offset. A letter that a crash has doubled is the same as its first, under both offsets.
 *
 * The topic is open to whoever may write to it: what is neither a whole letter nor a note is passed over.
 */
export class Letters {
  /** The first offset that is looked at. */
  readonly from: number
  readonly #byOffset = new Map<number, Letter>()
  readonly #byOrigin = new Map<string, Letter>()

  constructor(from: number) {
    this.from = from
  }

  get all(): Letter[] {
    return [...this.#byOrigin.values()]
  }

  get(offset: number): Letter | undefined {
    return this.#byOffset.get(offset)
  }

  /** `typeOf` names the record of a value; undefined where nobody knows. */
  take(record: StoredRecord, typeOf: (value: Uint8Array) => string | undefined): void {
    const { [noteHeader]: noted, [noteAtHeader]: at } = record.headers
    const sent = noted === undefined ? undefined : this.#byOffset.get(Number(noted))
    if (sent !== undefined) sent.resentAt = at ?? ''
    const letter = letterOf(record, typeOf)
    if (letter === undefined) return
    const origin = `${letter.component} ${originOf(letter)}`
    const first = this.#byOrigin.get(origin) ?? letter
    this.#byOrigin.set(origin, first)
    this.#byOffset.set(record.offset, first)
  }
}

const letterOf = (
  { key, headers, value, offset }: StoredRecord,
  typeOf: (value: Uint8Array) => string | undefined
): Letter | undefined => {
  const texts = [deadHeader.component, deadHeader.topic, deadHeader.code, deadHeader.reason, deadHeader.at] as const
  const [component, topic, code, reason, at] = texts.map((name) => headers[name])
  const partition = wholeNumber(headers[deadHeader.partition])
  const originOffset = wholeNumber(headers[deadHeader.offset])
  if (topic === undefined || partition === undefined || originOffset === undefined) return undefined
  return {
    offset,
    ...{ component: component ?? '', topic, partition, originOffset, key },
    ...{ code: code ?? '', reason: reason ?? '', at: at ?? '' },
    omitted: wholeNumber(headers[deadHeader.omitted]),
    type: headers[header.type] ?? (value === null ? undefined : typeOf(value)),
    resentAt: undefined
  }
}

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/**
 * The headers of a letter's record when it is sent back. Its `ce_sequence` would make it a repeat of what its reader
 * has passed; its id stays, or becomes the one that it had by its place, so that however often it is sent back it has
 * its effect once.
 */
export const resentHeaders = (letter: Letter, headers: Headers): Headers => {
  const { [header.sequence]: _, ...own } = ownHeaders(headers)
  return { [header.id]: originOf(letter), ...own, [header.resent]: String(letter.offset) }
}
