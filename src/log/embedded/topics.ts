/** Which topics there are: `topics.json` in the data folder, replaced as a whole. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean, ParcomoloError, sha256Hex } from '../../base/index.ts'
import type { TopicPartition, TopicSpec } from '../log.ts'
import { usable } from './data-folder.ts'
import type { Disk } from './disk.ts'
import { takeBack } from './segment.ts'

export class Topics {
  readonly #dir: string
  readonly #disk: Disk
  readonly #specs: Map<string, TopicSpec>
  /** Those that `ensureTopics` has named in this life. */
  readonly #ensured = new Set<string>()

  constructor(dir: string, disk: Disk) {
    this.#dir = dir
    this.#disk = disk
    this.#specs = new Map(readTopics(dir).map((spec) => [spec.topic, spec]))
  }

  /** Those that the folder has, named or not. */
  get all(): readonly TopicSpec[] {
    return [...this.#specs.values()]
  }

  /** Adds what is missing; refuses before anything is written. */
  ensure(specs: readonly TopicSpec[]): void {
    for (const spec of specs) this.#check(spec)
    const changed = specs
      .filter(({ topic, isCache }) => this.#specs.get(topic)?.isCache !== isCache || !this.#specs.has(topic))
      .map(({ topic, partitions, cleanup, isCache }) => ({ topic, partitions, cleanup, ...(isCache && { isCache }) }))
    if (changed.length > 0) {
      const all = new Map([...this.#specs, ...changed.map((spec) => [spec.topic, spec] as const)])
      usable(this.#dir, () => this.#write([...all.values()]))
    }
    for (const spec of changed) this.#specs.set(spec.topic, spec)
    for (const { topic } of specs) this.#ensured.add(topic)
  }

  get(topic: string): TopicSpec {
    const spec = this.#ensured.has(topic) ? this.#specs.get(topic) : undefined
    if (spec !== undefined) return spec
    throw new ParcomoloError(
      'PARCOMOLO_LOG_UNKNOWN_TOPIC',
      `unknown topic '${topic}'${didYouMean(topic, this.#ensured)}; it must be named to ensureTopics first`
    )
  }

  /** The spec of this place's topic, if the topic has such a partition. */
  of(place: TopicPartition): TopicSpec {
    const spec = this.get(place.topic)
    const { partition } = place
    if (Number.isInteger(partition) && partition >= 0 && partition < spec.partitions) return spec
    throw new ParcomoloError(
      'PARCOMOLO_LOG_UNKNOWN_TOPIC',
      `topic '${place.topic}' has no partition '${partition}'; expected 0 to ${spec.partitions - 1}`
    )
  }

  #check(spec: TopicSpec): void {
    const known = this.#specs.get(spec.topic)
    if (known === undefined || (known.partitions === spec.partitions && known.cleanup === spec.cleanup)) return
    throw new ParcomoloError(
      'PARCOMOLO_LOG_TOPIC_MISMATCH',
      `topic '${spec.topic}' has ${known.partitions} partitions (cleanup '${known.cleanup}') in '${this.#dir}'; ` +
        `expected ${spec.partitions} ('${spec.cleanup}'); set PARTITIONS as it was, or use another data folder`
    )
  }

  #write(topics: readonly TopicSpec[]): void {
    const path = join(this.#dir, fileName)
    writeFileSync(`${path}.new`, `${JSON.stringify({ format: 1, sha256: hashOf(topics), topics }, undefined, 2)}\n`, {
      flush: true,
      mode: 0o600
    })
    renameSync(`${path}.new`, path)
    this.#disk.syncFolder(this.#dir)
  }
}

const fileName = 'topics.json'

/** Throws PARCOMOLO_LOG_CORRUPT where the list is damaged; empty where there is none. */
export const readTopics = (dir: string): readonly TopicSpec[] => {
  const path = join(dir, fileName)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const found = parsed(text)
  if (found !== undefined) return found
  throw new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${path}' is damaged: expected JSON with a list 'topics', each with its name, partitions and cleanup; ${takeBack}`,
    { details: { file: path, position: 0 } }
  )
}

const parsed = (text: string): readonly TopicSpec[] | undefined => {
  try {
    const { topics, sha256 } = JSON.parse(text) as { topics?: unknown; sha256?: unknown }
    const isWhole = Array.isArray(topics) && topics.every(isSpec)
    // Lists of earlier releases have no hash.
    return isWhole && (sha256 === undefined || sha256 === hashOf(topics)) ? topics : undefined
  } catch {
    return undefined
  }
}

const hashOf = (topics: readonly TopicSpec[]): string => sha256Hex(JSON.stringify(topics))

const isSpec = (value: unknown): value is TopicSpec => {
  const { topic, partitions, cleanup } = (value ?? {}) as Partial<Record<keyof TopicSpec, unknown>>
  const isCount = Number.isSafeInteger(partitions) && Number(partitions) > 0
  return typeof topic === 'string' && isCount && (cleanup === 'delete' || cleanup === 'compact')
}
