import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { AuditRecord, Schemas } from '../helpers/auditor.ts'

/** The product as a person starts it: a process of its own over a data folder. */
export class ShopProcess {
  url = ''
  /** What it has said on its standard error output, in all its lives. */
  errors = ''
  readonly #folder: string
  readonly #variables: Record<string, string>
  #child: ChildProcess | undefined

  constructor(folder: string, variables: Record<string, string> = {}) {
    this.#folder = folder
    this.#variables = variables
  }

  /** Resolves when it takes orders, with the time that this took. */
  async start(): Promise<number> {
    const startedAt = performance.now()
    const child = spawn(process.execPath, ['src/cli/parcomolo.ts', 'start'], {
      env: { ...process.env, PORT: '0', LOG_LEVEL: 'error', PARCOMOLO_DATA: this.#folder, ...this.#variables },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#child = child
    child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Parcomolo is ready at (\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      this.url = url
      return performance.now() - startedAt
    }
    throw new Error(`the shop has ended before it was ready: ${this.errors}`)
  }

  /** `SIGKILL` leaves it no time for anything. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  /** What it has left on the disk, once it has ended. */
  async records(): Promise<AuditRecord[]> {
    const log = await openEmbeddedLog({ dir: join(this.#folder, 'log') })
    await log.ensureTopics(topics.map((topic) => ({ topic, partitions: 1, cleanup: 'delete' })))
    const records: AuditRecord[] = []
    for (const topic of topics) {
      const place = { topic, partition: 0 }
      for await (const chunk of log.read(place, 0, await log.end(place)))
        records.push(...chunk.map((record) => ({ ...place, ...record })))
    }
    await log.close()
    return records
  }

  async schemas(): Promise<Schemas> {
    const text = await readFile(join(this.#folder, 'registry', 'schemas.json'), 'utf8')
    const { schemas } = JSON.parse(text) as { schemas: object[] }
    return new Map(schemas.map((schema, i) => [i + 1, schema]))
  }
}

const services = ['order', 'inventory', 'payment', 'shipping']
const journals = ['order-events', 'stock-events', 'payment-events', 'shipping-events', 'saga-events']
const topics = [...journals, ...services.map((service) => `${service}-commands`)] as const
