import type { Cluster } from './cluster.ts'

type Sized = { readonly name: string; readonly partitions: number }

/**
 * Topics to which others may add partitions. They are looked at from time to time, as clients of Kafka do; what is
 * added counts from then on, and whoever listens hears of it.
 */
export class Growth {
  readonly #cluster: Pick<Cluster, 'describe' | 'follow' | 'pause' | 'isClosed'>
  readonly #lookMs: number
  readonly #topicOf: (name: string) => string
  readonly #counts = new Map<string, number>()
  readonly #listeners: ((topic: string) => void)[] = []

  constructor(
    cluster: Pick<Cluster, 'describe' | 'follow' | 'pause' | 'isClosed'>,
    lookMs: number,
    topicOf: (name: string) => string
  ) {
    this.#cluster = cluster
    this.#lookMs = lookMs
    this.#topicOf = topicOf
  }

  /** Resolves when it is known how many partitions these have now. */
  async watch(topics: readonly Sized[]): Promise<void> {
    if (topics.length === 0) return
    const isFirst = this.#counts.size === 0
    for (const { name, partitions } of topics) this.#counts.set(name, Math.max(partitions, this.countOf(name) ?? 0))
    await this.#look(topics.map(({ name }) => name))
    if (isFirst) void this.#goOn()
  }

  /** By the name in the cluster; undefined where it is not watched. */
  countOf(name: string): number | undefined {
    return this.#counts.get(name)
  }

  onGrown(listener: (topic: string) => void): void {
    this.#listeners.push(listener)
  }

  async #goOn(): Promise<void> {
    try {
      for (;;) {
        await this.#cluster.pause(this.#lookMs)
        for (const name of await this.#look([...this.#counts.keys()])) this.#tell(this.#topicOf(name))
      }
    } catch {
      // Whoever may not look at a topic may not read it either, which its readers tell.
      if (!this.#cluster.isClosed) void this.#goOn()
    }
  }

  #tell(topic: string): void {
    for (const listener of this.#listeners) listener(topic)
  }

  /** Gives those that have more than before. */
  async #look(names: readonly string[]): Promise<readonly string[]> {
    const grown = (await this.#cluster.describe(names)).filter(
      ({ name, partitions }) => partitions > this.#counts.get(name)!
    )
    if (grown.length > 0) await this.#cluster.follow(grown)
    for (const { name, partitions } of grown) this.#counts.set(name, partitions)
    return grown.map(({ name }) => name)
  }
}
