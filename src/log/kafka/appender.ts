import { setImmediate as nextTurn } from 'node:timers/promises'
import { placeName, type TopicPartition } from '../log.ts'
import { BrokerRefusal } from './broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { type Addressed, type ProduceAnswer, produceRequest } from './produce.ts'
import type { KafkaStats } from './stats.ts'

type Waiting = {
  readonly place: TopicPartition
  readonly encode: () => Buffer
  readonly resolve: (base: number) => void
  readonly reject: (error: unknown) => void
}
type Encoded = Waiting & Addressed

/** A request is closed when it has so many bytes: it is in memory some times over while it leaves. */
const requestBytesAim = 4 * 1024 * 1024

/**
 * Brings the batches of all tasks to the brokers: one request a broker is under way, and all that arrives meanwhile
 * goes with the next. So the busier a process is, the fewer requests it needs a batch, without any waiting.
 *
 * A request leaves in the turn of the event loop after the answer to the one before: those whom the answer has woken
 * have appended by then. Else they would miss it by a moment each time, and two halves of the tasks would take turns
 * for good, with twice the requests of half the size.
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
   * One try; gives the offset of the batch's first record. The batch is asked for when the request is made, so that it
   * has all that there is by then. The caller has at most one batch of a partition here.
   * Rejects where the outcome is a refusal (BrokerRefusal), where it is unknown (any other error: to try again, the
   * same bytes are given again), and with what `encode` throws.
   */
  append(place: TopicPartition, encode: () => Buffer): Promise<number> {
    const node = this.#cluster.leader(place)
    if (node === undefined) return Promise.reject(new BrokerRefusal(5, `append to '${placeName(place)}'`))
    return new Promise((resolve, reject) => {
      const waiting = { place, encode, resolve, reject }
      const queue = this.#waiting.get(node)
      if (queue === undefined) this.#waiting.set(node, [waiting])
      else queue.push(waiting)
      if (!this.#sending.has(node)) void this.#run(node)
    })
  }

  async #run(node: number): Promise<void> {
    this.#sending.add(node)
    while (this.#waiting.has(node)) {
      await nextTurn()
      const batches = this.#next(node)
      if (batches.length > 0) await this.#send(node, batches)
    }
    this.#sending.delete(node)
  }

  #next(node: number): readonly Encoded[] {
    const queue = this.#waiting.get(node) ?? []
    const batches: Encoded[] = []
    let taken = 0
    for (let bytes = 0; taken < queue.length && bytes < requestBytesAim; taken++) {
      const encoded = encodedOf(queue[taken]!)
      if (encoded === undefined) continue
      batches.push(encoded)
      bytes += encoded.batch.length
    }
    if (taken === queue.length) this.#waiting.delete(node)
    else this.#waiting.set(node, queue.slice(taken))
    return batches
  }

  async #send(node: number, batches: readonly Encoded[]): Promise<void> {
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

  #settle(batches: readonly Encoded[], answer: ProduceAnswer): void {
    for (const { place, resolve, reject } of batches) {
      const outcome = answer.get(placeName(place)) ?? new BrokerRefusal(5, `append to '${placeName(place)}'`)
      if (typeof outcome === 'number') resolve(outcome)
      else reject(outcome)
    }
  }
}

/** Undefined where it cannot be encoded, which its caller has been told then. */
const encodedOf = (waiting: Waiting): Encoded | undefined => {
  try {
    return { ...waiting, batch: waiting.encode() }
  } catch (error) {
    waiting.reject(error)
    return undefined
  }
}
