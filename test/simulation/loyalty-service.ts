import { isParcomoloError } from '../../src/base/index.ts'
import { type Codec, learnSchemas, readContract, registerContracts } from '../../src/contract/index.ts'
import type { Log, StoredRecord, TopicPartition } from '../../src/log/index.ts'
import type { SimulatedCluster } from '../helpers/simulated-log.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'
import type { SimulatedRegistry } from '../helpers/simulated-registry.ts'
import { loyaltyContract } from './loyalty.ts'

const inbox = 'loyalty-commands'
const events = 'loyalty-events'

type Answer = { readonly fullName: string; readonly value: object }

/** What it runs with, from one start to the next. */
type Running = {
  readonly process: SimulatedProcess
  readonly log: Log
  /** Knows commands by the schemas that they were written with, whatever contract is in force. */
  readonly asWritten: Codec
  /** Writes as the contract was when the service was built. */
  readonly own: Codec
}

/**
 * A participant with a program of its own, which keeps no journal: it takes each command of its inbox, thinks about it,
 * and answers; a repeat gets the same answer. What it has answered it knows after a crash, too.
 */
export class LoyaltyService {
  readonly #cluster: SimulatedCluster
  readonly #registry: SimulatedRegistry
  readonly #thinksMsMax: number
  readonly #answers = new Map<string, Answer>()
  #process: SimulatedProcess | undefined
  #starts = 0

  /** `thinksMsMax`: how long it takes for a command, in which people may save files. */
  constructor(cluster: SimulatedCluster, registry: SimulatedRegistry, thinksMsMax: number) {
    this.#thinksMsMax = thinksMsMax
    this.#cluster = cluster
    this.#registry = registry
  }

  /** Comes up, unless it is; never resolves when it crashes on the way. `machine`: that which it runs on. */
  async start(machine = 'loyalty'): Promise<void> {
    if (this.#process?.isAlive === true) return
    const process = this.#cluster.process(`${machine}.loyalty${++this.#starts}`)
    this.#process = process
    const registry = this.#registry.of(process)
    const contract = readContract({ path: 'loyalty.yaml', text: loyaltyContract })
    const asWritten = await insisting(process, () => registerContracts(registry, []))
    const own = await insisting(process, () => registerContracts(registry, [contract]))
    const running = { process, log: this.#cluster.log(process), asWritten, own }
    for (const place of this.#places(inbox)) void this.#serve(running, place)
  }

  crash(): void {
    this.#process?.crash()
  }

  #places(topic: string): TopicPartition[] {
    const count = this.#cluster.broker.partitionCount(topic)
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  }

  async #serve(running: Running, place: TopicPartition): Promise<never> {
    const { process, log, asWritten } = running
    const reader = log.reader([{ ...place, offset: 0 }], 'durable')
    for (;;) {
      await reader.ready()
      const records = reader.take(100).flatMap((chunk) => chunk.records)
      const values = records.map(({ value }) => value)
      await insisting(process, async () => learnSchemas(asWritten, this.#registry.of(process), values))
      for (const record of records) process.after(this.#thinksMs(), () => void this.#answer(running, record))
    }
  }

  #thinksMs(): number {
    const { time } = this.#cluster
    return time.chance(0.3) ? time.between(1, 20) : time.between(1, this.#thinksMsMax)
  }

  async #answer({ process, log, asWritten, own }: Running, { key, value, headers }: StoredRecord): Promise<void> {
    const { time } = this.#cluster
    const id = headers['ce_id']!
    const answer = this.#answers.get(id) ?? answerTo(asWritten.decode(value!))
    this.#answers.set(id, answer)
    const bytes = own.encode(answer.fullName, answer.value)
    const record = { key, value: bytes, timestamp: time.now(), headers: { ce_causationid: id } }
    await insisting(process, () => log.send([{ ...time.pick(this.#places(events)), ...record }]))
  }
}

const answerTo = ({ type, value }: ReturnType<Codec['decode']>): Answer => {
  const { orderId } = value
  switch (type) {
    case 'AwardPoints':
      return { fullName: 'test.loyalty.PointsAwarded', value: { orderId, balance: value['points'] ?? 0 } }
    case 'TakePoints':
      return { fullName: 'test.loyalty.PointsTaken', value: { orderId } }
    case 'IssueVoucher':
      return { fullName: 'test.loyalty.VoucherIssued', value: { orderId } }
    default:
      throw new TypeError(`nobody has told the service of '${type}'`)
  }
}

/** Tries until it works: registry and brokers may be away. */
const insisting = async <T>(process: SimulatedProcess, work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isParcomoloError(error) || !error.retryable) throw error
      await process.wait(300)
    }
  }
}
