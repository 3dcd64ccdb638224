import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { AuditRecord, Schemas } from '../helpers/auditor.ts'
import { readTopics, topicsOf } from './journals.ts'

/** The product as a person starts it: a process of its own over a data folder. */
export class ShopProcess {
  url = ''
  /** What it has said on its standard error output, in all its lives. */
  errors = ''
  readonly #folder: string
  readonly #variables: Record<string, string>
  readonly #descriptorsMax: number | undefined
  #child: ChildProcess | undefined

  /** `descriptorsMax`: as many files and connections as it may have open. */
  constructor(folder: string, variables: Record<string, string> = {}, descriptorsMax?: number) {
    this.#folder = folder
    this.#variables = variables
    this.#descriptorsMax = descriptorsMax
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when it is ready, with the time that this took. */
  async start(): Promise<number> {
    const startedAt = performance.now()
    const limit = this.#descriptorsMax === undefined ? '' : `ulimit -n ${this.#descriptorsMax}; `
    const command = `${limit}exec "$0" src/cli/parcomolo.ts start`
    const child = spawn('sh', ['-c', command, process.execPath], {
      env: { ...withoutKafka, PORT: '0', LOG_LEVEL: 'error', PARCOMOLO_DATA: this.#folder, ...this.#variables },
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
    if (!this.isRunning) return
    const ended = once(this.#child!, 'exit')
    this.#child!.kill(signal)
    await ended
  }

  /** Makes it stand still, or go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.#child!.kill(signal)
  }

  /** What it has left on the disk, once it has ended. */
  async records(): Promise<AuditRecord[]> {
    const log = await openEmbeddedLog({ dir: join(this.#folder, 'log') })
    await log.ensureTopics(topicsOf(1))
    const records = await readTopics(log)
    await log.close()
    return records
  }

  schemas(): Promise<Schemas> {
    return schemasIn(this.#folder)
  }
}

/** Of the embedded registry in a data folder. */
export const schemasIn = async (folder: string): Promise<Schemas> => {
  const text = await readFile(join(folder, 'registry', 'schemas.json'), 'utf8')
  const { schemas } = JSON.parse(text) as { schemas: object[] }
  return new Map(schemas.map((schema, i) => [i + 1, schema]))
}

/** Whoever runs the tests may name a Kafka for some of them; the others run on the embedded log all the same. */
const { KAFKA_BROKERS: _brokers, SCHEMA_REGISTRY_URL: _registry, ...withoutKafka } = process.env
