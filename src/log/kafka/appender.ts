import { placeName, type TopicPartition } from '../log.ts'
import { BrokerRefusal } from './broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { type Addressed, type ProduceAnswer, produceRequest } from './produce.ts'
import type { KafkaStats } from './stats.ts'

type Waiting = Addressed & { readonly resolve: (base: number) => void; readonly reject: (error: unknown) => void }

/** A broker refuses requests above 100 MiB; a batch alone may be as large as its topic allows. */
const requestBytesMax = 32 * 1024 * 1024

/**
 * Brings the batches of all tasks to the brokers: one request a broker is under way, and all that arrives meanwhile
 * goes with the next. So the busier a process is, the fewer requests it needs a batch, without any waiting.
 */
export class Appender {
  readonly #cluster: Cluster
  readonly #stats: KafkaStats
  readonly #waiting = new Map<number, Waiting[]>()
  readonly #sending = new Set<number>()

  constructor(cluster: Cluster, stats: KafkaStats) {
    this.#cluster = cluster
    this.#stats = stats
  }

  /**
   * One try; gives the offset of the batch's first record. The caller has at most one batch of a partition here.
   * Rejects where the outcome is a refusal (BrokerRefusal) or unknown (any other error): to try again, the same bytes
   * are given again.
   */
  append(place: TopicPartition, batch: Buffer): Promise<number> {
    const node = this.#cluster.leader(place)
    if (node === undefined) return Promise.reject(new BrokerRefusal(5, `append to '${placeName(place)}'`))
    return new Promise((resolve, reject) => {
      const entry = { place, batch, resolve, reject }
      const queue = this.#waiting.get(node)
      if (queue !== undefined) return void queue.push(entry)
      this.#waiting.set(node, [entry])
      // Tasks that were woken together append together.
      if (!this.#sending.has(node)) setImmediate(() => void this.#run(node))
    })
  }

  async #run(node: number): Promise<void> {
    if (this.#sending.has(node)) return
    this.#sending.add(node)
    for (let batches = this.#next(node); batches.length > 0; batches = this.#next(node)) await this.#send(node, batches)
    this.#sending.delete(node)
  }

  #next(node: number): readonly Waiting[] {
    const queue = this.#waiting.get(node) ?? []
    let bytes = 0
    const fits = queue.findIndex(({ batch }, i) => (bytes += batch.length) > requestBytesMax && i > 0)
    const batches = fits < 0 ? queue : queue.slice(0, fits)
    if (fits < 0) this.#waiting.delete(node)
    else this.#waiting.set(node, queue.slice(fits))
    return batches
  }

  async #send(node: number, batches: readonly Waiting[]): Promise<void> {
    this.#stats.produceRequests++
    this.#stats.producedBatches += batches.length
    for (const { batch } of batches) this.#stats.producedBytes += batch.length
    try {
      const request = produceRequest(batches)
      this.#settle(batches, await this.#cluster.at('write', node, (link) => link.connectionPool.send(request)))
    } catch (error) {
      for (const { reject } of batches) reject(error)
    }
  }

  #settle(batches: readonly Waiting[], answer: ProduceAnswer): void {
    for (const { place, resolve, reject } of batches) {
      const outcome = answer.get(placeName(place)) ?? new BrokerRefusal(5, `append to '${placeName(place)}'`)
      if (typeof outcome === 'number') resolve(outcome)
      else reject(outcome)
    }
  }
}
