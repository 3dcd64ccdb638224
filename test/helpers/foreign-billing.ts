import { partitionOf } from '../../src/base/index.ts'
import { type Codec, readContract, registerContracts } from '../../src/contract/index.ts'
import type { Log, StoredRecord } from '../../src/log/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import { readAll } from '../log/records.ts'

export const billing = `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: billing }
spec:
  inbox: billing-commands
  events: billing-events
  contract: |
    @namespace("acme.billing")
    protocol Billing {
      record Charge { string customerId; string cardToken; long cents; }
      record Charged { string customerId; }
      error CardDeclined { string reason; }
      Charged charge(Charge command) throws CardDeclined;
      record Subscribed { string customerId; string cardToken; }
      void subscribed(Subscribed event) oneway;
    }
`

export const subscribe = `apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: subscribe }
spec:
  start: { on: Subscribed, key: event.customerId }
  steps:
    - name: charge
      command: Charge
      compensate: none
      with: { customerId: start.customerId, cardToken: start.cardToken, cents: "500" }
`

/** A participant that runs elsewhere: it knows log, registry and its own contract, and nothing else of Parcomolo. */
export class Billing {
  readonly #log: Log
  readonly #codec: Codec

  private constructor(log: Log, codec: Codec) {
    this.#log = log
    this.#codec = codec
  }

  /** `partitions`: of its topics, which the engine has made. */
  static async open(log: Log, registry: Registry, partitions: number): Promise<Billing> {
    const contract = readContract({ path: 'billing.yaml', text: billing })
    const topics = [contract.inbox, contract.events]
    await log.ensureTopics(topics.map((topic) => ({ topic, partitions, cleanup: 'delete' as const })))
    return new Billing(log, await registerContracts(registry, [contract], []))
  }

  /** Begins an instance of the saga `subscribe`. */
  async subscribe(customerId: string, cardToken: string): Promise<void> {
    await this.#say('Subscribed', customerId, { customerId, cardToken })
  }

  /** All commands that are in its inbox. */
  async commands(): Promise<readonly StoredRecord[]> {
    const topic = 'billing-commands'
    const partitions = Array.from({ length: this.#log.partitionCount(topic) }, (_, partition) => partition)
    return (await Promise.all(partitions.map((partition) => readAll(this.#log, { topic, partition })))).flat()
  }

  /** Declines who pays with `declined`. */
  async answer({ key, value, headers }: StoredRecord): Promise<void> {
    const { cardToken, customerId } = this.#codec.decode(value!).value as { cardToken: string; customerId: string }
    const causedBy = { ce_causationid: headers['ce_id']! }
    if (cardToken === 'declined') return this.#say('CardDeclined', key, { reason: 'no money' }, causedBy)
    return this.#say('Charged', key, { customerId }, causedBy)
  }

  async #say(type: string, key: string, value: object, headers: Record<string, string> = {}): Promise<void> {
    const topic = 'billing-events'
    const bytes = this.#codec.encode(`acme.billing.${type}`, value)
    const partition = partitionOf(key, this.#log.partitionCount(topic))
    await this.#log.send([{ topic, partition, key, value: bytes, timestamp: Date.now(), headers }])
  }
}

/** Ada pays, Bob is declined: resolves with how their instances have ended. */
export const subscribeTwo = async (participant: Billing, url: string): Promise<Record<string, unknown>> => {
  await participant.subscribe('ada', 'visa')
  await participant.subscribe('bob', 'declined')
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
  let commands: readonly StoredRecord[] = []
  for (; commands.length < 2; await turn()) commands = await participant.commands()
  for (const command of commands) await participant.answer(command)
  const ended = async (key: string): Promise<unknown> => {
    for (;;) {
      const answer = await fetch(`${url}/sagas/subscribe/${key}`)
      const { endedAt, status } = (await answer.json()) as { endedAt?: string | null; status?: string }
      if (typeof endedAt === 'string') return status
      await turn()
    }
  }
  return { ada: await ended('ada'), bob: await ended('bob') }
}
