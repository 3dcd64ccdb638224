import { type LogRecord, type StoredRecord, type TopicPartition } from '../log.ts'
import { KeyIndex } from './key-index.ts'
import type { RangeReader } from './range-reader.ts'

/**
 * Asks a compacted partition by key, which Kafka cannot: an index of where the newest record of each key stands, made
 * by reading the partition once at the first question, and kept up with what the partition's one writer appends.
 */
export class CompactedPartition {
  readonly #place: TopicPartition
  readonly #ranges: RangeReader
  #index: Promise<KeyIndex> | undefined
  /** What was appended while the index was being made. */
  readonly #appended: StoredRecord[] = []

  constructor(place: TopicPartition, ranges: RangeReader) {
    this.#place = place
    this.#ranges = ranges
  }

  async appended(records: readonly LogRecord[], base: number): Promise<void> {
    if (this.#index === undefined) return
    const stored = records.map(({ key, value }, i) => ({ key, value, offset: base + i }) as StoredRecord)
    this.#appended.push(...stored)
    const index = await this.#index
    for (const record of this.#appended.splice(0)) index.set(record)
  }

  async lookup(keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    this.#index ??= this.#build()
    const index = await this.#index
    for (const record of this.#appended.splice(0)) index.set(record)
    const places = keys.flatMap((key) => {
      const offset = index.get(key)
      return offset === undefined ? [] : [{ key, offset }]
    })
    places.sort((a, b) => a.offset - b.offset)
    const records = await this.#ranges.at(
      this.#place,
      places.map(({ offset }) => offset)
    )
    const found = new Map<string, StoredRecord>()
    for (const { key, offset } of places) {
      const record = records.get(offset)
      if (record?.key !== key) return this.#scan(keys)
      if (record.value !== null) found.set(key, record)
    }
    return found
  }

  async #build(): Promise<KeyIndex> {
    const index = new KeyIndex()
    try {
      for await (const keys of this.#ranges.keys(this.#place, 0, await this.#ranges.end(this.#place)))
        for (const key of keys) index.setAt(key)
      return index
    } catch (error) {
      this.#index = undefined
      throw error
    }
  }

  /** Two keys share a hash, so the index cannot tell them apart. */
  async #scan(keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    const wanted = new Set(keys)
    const found = new Map<string, StoredRecord>()
    for await (const records of this.#ranges.all(this.#place, 0, await this.#ranges.end(this.#place))) {
      for (const record of records) {
        if (!wanted.has(record.key)) continue
        if (record.value === null) found.delete(record.key)
        else found.set(record.key, record)
      }
    }
    return found
  }
}
