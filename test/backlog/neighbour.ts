import { partitionOf } from '../../src/base/index.ts'
import type { StoredRecord } from '../../src/log/index.ts'
import { header } from '../../src/task/index.ts'
import { type Access, newId } from '../bench/kafka/records.ts'
import { followTopic } from './following.ts'
import { Phases } from './phases.ts'

const everyMs = 50

/**
 * A participant beside the shop, with a saga of its own (sagas/neighbour.yaml): whether it gets through while others
 * wait. It starts one every 50 ms, and answers each command at once; a latency is from the start to the last command.
 */
export class Neighbour {
  readonly phases = new Phases()
  readonly #access: Access
  #timer: NodeJS.Timeout | undefined
  /** By call. */
  readonly #ends = new Map<string, () => void>()

  private constructor(access: Access) {
    this.#access = access
  }

  static async open(resources: AsyncDisposableStack, access: Access): Promise<Neighbour> {
    const neighbour = new Neighbour(access)
    const onError = (error: unknown): void => console.error(error)
    const answer = (records: readonly StoredRecord[]): void => void neighbour.#answer(records).catch(onError)
    const following = await followTopic(access.log, inbox, answer, onError)
    resources.defer(() => following.close())
    neighbour.#timer = setInterval(() => void neighbour.#call().catch(onError), everyMs)
    resources.defer(() => neighbour.stop())
    return neighbour
  }

  /** It starts none any more, and goes on answering. */
  stop(): void {
    clearInterval(this.#timer)
  }

  get isQuiet(): boolean {
    return this.#ends.size === 0
  }

  async #call(): Promise<void> {
    const callId = newId()
    this.#ends.set(callId, this.phases.begin())
    await this.#tell('Called', callId, {})
  }

  async #answer(records: readonly StoredRecord[]): Promise<void> {
    for (const { key, headers } of records) {
      const answer = answers[headers[header.type] ?? '']
      if (answer === undefined) continue
      if (answer === 'Parted') this.#end(key)
      await this.#tell(answer, key, { [header.causationId]: headers[header.id] ?? '' })
    }
  }

  #end(callId: string): void {
    this.#ends.get(callId)?.()
    this.#ends.delete(callId)
  }

  async #tell(type: string, callId: string, headers: Record<string, string>): Promise<void> {
    const { log, codec } = this.#access
    const partition = partitionOf(callId, log.partitionCount(journal))
    const value = codec.encode(`backlog.neighbour.${type}`, { callId })
    await log.send([{ topic: journal, partition, key: callId, value, headers, timestamp: Date.now() }])
  }
}

const inbox = 'neighbour-commands'
const journal = 'neighbour-events'
const answers: Readonly<Record<string, string>> = { Greet: 'Greeted', Part: 'Parted' }
