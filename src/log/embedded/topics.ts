/** Which topics there are: `topics.json` in the data folder, replaced as a whole. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean, ParcomoloError } from '../../base/index.ts'
import type { TopicPartition, TopicSpec } from '../log.ts'
import { usable } from './data-folder.ts'
import type { Disk } from './disk.ts'

export class Topics {
  readonly #dir: string
  readonly #disk: Disk
  readonly #specs: Map<string, TopicSpec>
  /** Those that `ensureTopics` has named in this life. */
  readonly #ensured = new Set<string>()

  constructor(dir: string, disk: Disk) {
    this.#dir = dir
    this.#disk = disk
    this.#specs = new Map(readTopics(join(dir, fileName)).map((spec) => [spec.topic, spec]))
  }

  /** Adds what is missing; refuses before anything is written. */
  ensure(specs: readonly TopicSpec[]): void {
    for (const spec of specs) this.#check(spec)
    const missing = specs
      .filter(({ topic }) => !this.#specs.has(topic))
      .map(({ topic, partitions, cleanup }) => ({ topic, partitions, cleanup }))
    if (missing.length > 0) usable(this.#dir, () => this.#write([...this.#specs.values(), ...missing]))
    for (const spec of missing) this.#specs.set(spec.topic, spec)
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
    writeFileSync(`${path}.new`, `${JSON.stringify({ format: 1, topics }, undefined, 2)}\n`, { flush: true })
    renameSync(`${path}.new`, path)
    this.#disk.syncFolder(this.#dir)
  }
}

const fileName = 'topics.json'

const readTopics = (path: string): readonly TopicSpec[] => {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { topics: TopicSpec[] }).topics
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new ParcomoloError(
      'PARCOMOLO_LOG_CORRUPT',
      `'${path}' is damaged: expected JSON with a list 'topics'; restore the data folder from a backup`,
      { details: { file: path, position: 0 }, cause: error }
    )
  }
}
