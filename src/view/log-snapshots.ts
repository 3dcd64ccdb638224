import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { isParcomoloError } from '../base/index.ts'
import type { JournalWriter, Log, LogRecord, StoredRecord, TopicPartition, TopicSpec } from '../log/index.ts'
import type { Snapshot, StoreCopy, ViewSnapshots } from './snapshots.ts'
import type { Position } from './store.ts'

/** One partition for what a copy is made of, one for its blocks. */
export const snapshotsTopic: TopicSpec = { topic: 'view-snapshots', partitions: 2, cleanup: 'compact', isCache: true }

const manifests: TopicPartition = { topic: snapshotsTopic.topic, partition: 0 }
const blocks: TopicPartition = { topic: snapshotsTopic.topic, partition: 1 }

/**
 * Copies of stores in a compacted topic: a store in blocks, of which only those are written that have changed since the
 * copy before; then a manifest, which names the offset and the hash of each.
 *
 * P1. A block has two keys, and a save writes under the one that the newest manifest does not name. So that one stays
 *     whole until the next is there, a save that was broken off is overwritten by the next, and a copy takes at most
 *     twice its size.
 * P2. Copies of older layouts are dropped when there is one of a newer: as with tables of a database, a process of the
 *     older version that still works has its own store, and one that begins folds everything.
 * P3. Who saves has claimed both partitions, and has appended to both, before he reads the newest manifest.
 */
export class LogSnapshots implements ViewSnapshots {
  readonly #log: Log
  readonly #layout: number
  readonly #blockBytes: number

  /** `layout`: of the stores; copies of others are not seen. */
  constructor(log: Log, layout: number, blockBytes = standardBlockBytes) {
    this.#log = log
    this.#layout = layout
    this.#blockBytes = blockBytes
  }

  newest(): Promise<Manifest | undefined> {
    return this.#newest()
  }

  async load(snapshot: Snapshot, write: (at: number, bytes: Uint8Array) => Promise<void>): Promise<string | undefined> {
    const { blocks: named, blockBytes } = snapshot as Manifest
    const wanted = new Map(named.map(({ offset }, index) => [offset, index]))
    const reasons: string[] = []
    const take = async (record: StoredRecord, index: number): Promise<void> => {
      const bytes = record.value === null ? undefined : await inflated(record.value)
      if (bytes === undefined || hashOf(bytes) !== named[index]!.hash) reasons.push(`block ${index} is damaged`)
      else await write(index * blockBytes, bytes)
    }
    const side = new SideBySide(blocksAtOnce)
    for await (const record of this.#recordsAt([...wanted.keys()])) {
      const index = wanted.get(record.offset)
      if (index !== undefined && wanted.delete(record.offset)) await side.add(() => take(record, index))
    }
    await side.end()
    return reasons[0] ?? (wanted.size === 0 ? undefined : `${wanted.size} of its blocks are gone`)
  }

  /** The blocks at these offsets, and some between. */
  async *#recordsAt(offsets: readonly number[]): AsyncGenerator<StoredRecord> {
    for (const [from, to] of runsOf(offsets))
      for await (const records of this.#log.read(blocks, from, to)) yield* records
  }

  async save(copy: StoreCopy, signal: AbortSignal): Promise<boolean> {
    try {
      const manifest = await this.#log.claim(manifests)
      const writer = await this.#log.claim(blocks)
      for (const one of [manifest, writer]) await one.append([fence])
      const last = await this.#newest()
      const saved = await this.#saveBlocks(copy, { writer, last, signal })
      await manifest.append([await this.#manifestOf(copy, saved)])
      await this.#dropOlder(manifest, writer)
      return true
    } catch (error) {
      if (isParcomoloError(error, 'PARCOMOLO_LOG_FENCED')) return false
      throw error
    }
  }

  /** Blocks first, so that whoever comes next finds what is left to drop. */
  async #dropOlder(manifest: JournalWriter, writer: JournalWriter): Promise<void> {
    const layouts = Array.from({ length: this.#layout }, (_, layout) => `${layout}`)
    for (const [layout, { value }] of await this.#log.lookup(manifests, layouts)) {
      const count = parsed(await inflated(value!))?.blocks.length ?? 0
      const keys = Array.from({ length: count * 2 }, (_, i) => `${layout}/${i >> 1}/${i & 1}`)
      for (let first = 0; first < keys.length; first += deletionsAtOnce)
        await writer.append(keys.slice(first, first + deletionsAtOnce).map((key) => recordOf(key, null)))
      await manifest.append([recordOf(layout, null)])
    }
  }

  async #saveBlocks(copy: StoreCopy, { writer, last, signal }: Saving): Promise<Block[]> {
    const saved: Block[] = []
    const count = Math.ceil(copy.bytes / this.#blockBytes)
    for (let first = 0; first < count; first += blocksAtOnce) {
      signal.throwIfAborted()
      const indices = Array.from({ length: Math.min(blocksAtOnce, count - first) }, (_, i) => first + i)
      const found = await Promise.all(indices.map((index) => this.#blockOf(copy, index, last)))
      const records = found.flatMap(({ record }) => (record === undefined ? [] : [record]))
      let offset = records.length === 0 ? 0 : await writer.append(records)
      for (const { block, record } of found) saved.push(record === undefined ? block : { ...block, offset: offset++ })
    }
    return saved
  }

  /** The block, with a record where the copy before has another one. */
  async #blockOf(
    copy: StoreCopy,
    index: number,
    last: Manifest | undefined
  ): Promise<{ block: Block; record?: LogRecord }> {
    const at = index * this.#blockBytes
    const bytes = await copy.read(at, Math.min(this.#blockBytes, copy.bytes - at))
    const before = last?.blockBytes === this.#blockBytes ? last.blocks[index] : undefined
    const block = { hash: hashOf(bytes), offset: 0, side: before?.side === 0 ? 1 : 0 } as const
    if (before?.hash === block.hash) return { block: before }
    const key = `${this.#layout}/${index}/${block.side}`
    return { block, record: recordOf(key, await compressed(bytes)) }
  }

  async #manifestOf({ positions, bytes }: StoreCopy, saved: readonly Block[]): Promise<LogRecord> {
    const text = JSON.stringify({
      ...{ layout: this.#layout, bytes, blockBytes: this.#blockBytes, positions: [...positions] },
      blocks: saved.map(({ hash: of, offset, side }) => [of, offset, side])
    })
    return recordOf(`${this.#layout}`, await compressed(Buffer.from(text)))
  }

  /** It stands near the end, as there are few other records. */
  async #newest(): Promise<Manifest | undefined> {
    let to = await this.#log.end(manifests)
    while (to > 0) {
      const from = Math.max(0, to - manifestsAtOnce)
      const found: StoredRecord[] = []
      for await (const records of this.#log.read(manifests, from, to))
        found.push(...records.filter(({ key, value }) => key === `${this.#layout}` && value !== null))
      const last = found.at(-1)
      if (last !== undefined) return parsed(await inflated(last.value!))
      to = from
    }
    return undefined
  }
}

/** So many tasks at once; the first failure is told at the end, and by whoever adds another. */
class SideBySide {
  readonly #max: number
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(max: number) {
    this.#max = max
  }

  async add(task: () => Promise<void>): Promise<void> {
    if (this.#underWay.size >= this.#max) await Promise.race(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure.error
    const running = task()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#underWay.delete(running))
    this.#underWay.add(running)
  }

  async end(): Promise<void> {
    await Promise.all(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

type Block = { readonly hash: string; readonly offset: number; readonly side: 0 | 1 }
type Manifest = Snapshot & { readonly blockBytes: number; readonly blocks: readonly Block[] }
type Saving = {
  readonly writer: JournalWriter
  readonly last: Manifest | undefined
  readonly signal: AbortSignal
}

/** Some pages: an index of customers changes one page here and one there. */
const standardBlockBytes = 64 * 1024
const blocksAtOnce = 8
const manifestsAtOnce = 16
const deletionsAtOnce = 1_000
/** Blocks between two that are wanted, which cost less than another request. */
const gapMax = 32

/** What is wanted, as ranges to read. */
const runsOf = (offsets: readonly number[]): (readonly [from: number, to: number])[] => {
  const runs: [number, number][] = []
  for (const offset of offsets.toSorted((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run !== undefined && offset - run[1] <= gapMax) run[1] = offset + 1
    else runs.push([offset, offset + 1])
  }
  return runs
}

const hashOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64').slice(0, 22)

const recordOf = (key: string, value: Uint8Array | null): LogRecord => ({ key, value, timestamp: 0, headers: {} })
const fence = recordOf('fence', Buffer.from('fence'))

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const compressed = (bytes: Uint8Array): Promise<Buffer> =>
  compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
/** Undefined for bytes that are no such thing. A whole block comes as one chunk, not as pieces to be put together. */
const inflated = (bytes: Uint8Array): Promise<Buffer | undefined> =>
  decompress(bytes, { chunkSize: standardBlockBytes * 2 }).catch(() => undefined)

const parsed = (bytes: Buffer | undefined): Manifest | undefined => {
  if (bytes === undefined) return undefined
  const found = JSON.parse(bytes.toString()) as {
    readonly bytes: number
    readonly blockBytes: number
    readonly positions: readonly [string, Position][]
    readonly blocks: readonly [string, number, 0 | 1][]
  }
  return {
    ...{ bytes: found.bytes, blockBytes: found.blockBytes, positions: new Map(found.positions) },
    blocks: found.blocks.map(([of, offset, side]) => ({ hash: of, offset, side }))
  }
}
