import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Cluster } from '../../src/log/kafka/cluster.ts'
import { connector } from '../../src/log/kafka/kafkajs.ts'
import { closedError } from '../../src/log/kafka/broker-errors.ts'
import { type KafkaShop, sessionMs } from './kafka-shop.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const run = promisify(execFile)

/**
 * The brokers, by a folder with two commands: `kill N [SIGNAL]` (SIGKILL if none is named; STOP and CONT make it stand
 * still and go on) and `start N`, which waits until it serves. N is a broker's number, or `registry`.
 */
export class BrokerControl {
  readonly #folder: string
  readonly #brokers: readonly string[]

  constructor(folder: string, brokers: readonly string[]) {
    this.#folder = folder
    this.#brokers = brokers
  }

  async kill(what: number | 'registry', signal?: 'STOP' | 'CONT'): Promise<void> {
    await run(join(this.#folder, 'kill'), [String(what), ...(signal === undefined ? [] : [signal])])
  }

  async start(what: number | 'registry'): Promise<void> {
    await run(join(this.#folder, 'start'), [String(what)])
  }

  /** The broker that leads a partition. */
  async leader(topic: string, partition: number): Promise<number> {
    return this.#ask(async (cluster) => {
      await cluster.follow([{ name: topic, partitions: partition + 1 }])
      return cluster.leader({ topic, partition })!
    })
  }

  /** The broker that coordinates a group. */
  async coordinator(group: string): Promise<number> {
    return this.#ask((cluster) => cluster.coordinator(0, group))
  }

  async #ask<T>(question: (cluster: Cluster) => Promise<T>): Promise<T> {
    const connect = connector({ brokers: this.#brokers, clientId: 'faults', requestTimeoutMs: 5_000 })
    const cluster = new Cluster(connect, this.#brokers)
    try {
      await cluster.refresh()
      return await question(cluster)
    } finally {
      await cluster.close(closedError())
    }
  }
}

export type Fault = { readonly name: string; readonly run: (shop: KafkaShop, brokers: BrokerControl) => Promise<void> }

/** How long a broker stays away. */
const awayMs = 4_000
const unreachableMs = 30_000

const lose = async (brokers: BrokerControl, broker: number): Promise<void> => {
  await brokers.kill(broker)
  await wait(awayMs)
  await brokers.start(broker)
}

const killed = (name: string): Fault => ({
  name: `kill -9 of the process '${name}'`,
  run: async (shop) => {
    await shop.process(name).end('SIGKILL')
    await shop.process(name).start()
  }
})

/** Every fault of the issue, one after the other under load. */
export const faults = (prefix: string): readonly Fault[] => [
  {
    name: "kill -9 of the broker that leads 'saga-events/0'",
    run: async (_shop, brokers) => lose(brokers, await brokers.leader(`${prefix}saga-events`, 0))
  },
  {
    name: 'kill -9 of the broker that coordinates the group of the orchestrators',
    run: async (_shop, brokers) => lose(brokers, await brokers.coordinator(`${prefix}parcomolo-orchestrator`))
  },
  ...[...serviceNames, 'orchestrator', 'view'].map(killed),
  {
    name: 'kill -9 of all processes at once',
    run: async (shop) => {
      await shop.end('SIGKILL')
      await shop.startAll()
    }
  },
  {
    name: 'an orchestrator stands still for longer than its session, and comes back as a zombie',
    run: async (shop) => {
      shop.process('orchestrator').signal('SIGSTOP')
      await wait(sessionMs * 2)
      shop.process('orchestrator').signal('SIGCONT')
    }
  },
  {
    name: `a broker hangs for ${unreachableMs / 1000} s`,
    run: async (_shop, brokers) => {
      const broker = await brokers.leader(`${prefix}stock-events`, 0)
      await brokers.kill(broker, 'STOP')
      await wait(unreachableMs)
      await brokers.kill(broker, 'CONT')
    }
  },
  {
    name: 'the registry is down: what runs goes on, and a new process waits and says so',
    run: async (shop, brokers) => {
      await brokers.kill('registry')
      const waiting = shop.process('payment')
      await waiting.end('SIGKILL')
      const started = waiting.start()
      while (!waiting.errors.includes('schema registry')) await wait(50)
      await wait(awayMs)
      await brokers.start('registry')
      await started
    }
  },
  {
    name: 'a rolling restart of every process',
    run: async (shop) => {
      for (const process of shop.processes.values()) {
        await process.end('SIGTERM')
        await process.start()
      }
    }
  }
]
