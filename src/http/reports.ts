import type { FastifyBaseLogger } from 'fastify'
import { type Clock, type ErrorCode, systemClock } from '../base/index.ts'

const windowMs = 1_000

/** A second of them is enough to find the cause; each further one has the same. */
const failuresPerWindow = 20

const urlCharsMax = 200

type Log = Pick<FastifyBaseLogger, 'warn' | 'error'>

type Facts = { readonly requestId?: string; readonly url?: string } & Readonly<Record<string, unknown>>

/**
 * What is said of requests that the server is at fault for. Whoever can send many requests must not be able to fill a
 * disk with lines: of each code so many are told in a second, and then how many more there were.
 */
export class Reports {
  readonly #log: Log
  readonly #clock: Clock
  readonly #windows = new Map<ErrorCode, { told: number; more: number }>()

  constructor(log: Log, clock: Clock = systemClock) {
    this.#log = log
    this.#clock = clock
  }

  /** Nothing was taken, and whoever asks again may be served. */
  refused(code: ErrorCode, facts: Facts, message: string): void {
    if (this.#mayTell(code, 1)) this.#log.warn(shown(code, facts), message)
  }

  /** Whoever asked does not know what has become of it. */
  unknown(code: ErrorCode, facts: Facts, message: string): void {
    if (this.#mayTell(code, failuresPerWindow)) this.#log.warn(shown(code, facts), message)
  }

  /** Nobody had foreseen it. */
  failed(code: ErrorCode, facts: Facts, message: string): void {
    if (this.#mayTell(code, failuresPerWindow)) this.#log.error(shown(code, facts), message)
  }

  #mayTell(code: ErrorCode, perWindow: number): boolean {
    let window = this.#windows.get(code)
    if (window === undefined) {
      window = { told: 0, more: 0 }
      this.#windows.set(code, window)
      this.#clock.at(this.#clock.now() + windowMs, () => this.#end(code))
    }
    if (window.told < perWindow) return ++window.told > 0
    window.more++
    return false
  }

  #end(code: ErrorCode): void {
    const count = this.#windows.get(code)?.more ?? 0
    this.#windows.delete(code)
    if (count > 0) this.#log.warn({ code, count }, `${count} more requests were answered with ${code} in a second`)
  }
}

const shown = (code: ErrorCode, { url, ...facts }: Facts): object => ({
  code,
  ...facts,
  ...(url === undefined ? {} : { url: url.slice(0, urlCharsMax) })
})

declare module 'fastify' {
  interface FastifyInstance {
    reports: Reports
  }
}
