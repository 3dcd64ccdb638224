import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/index.ts'
import { sendProblem } from './problem.ts'

export type UnreadLimits = {
  /** Of long answers that have not gone out yet, over all connections. From half of it on, no more are begun. */
  readonly unreadBytesMax: number
  /** Who has not taken an answer for so long gives way then. */
  readonly unreadMsMax: number
}

export const unreadLimits: UnreadLimits = { unreadBytesMax: 32 * 1024 * 1024, unreadMsMax: 5_000 }

/** Shorter answers are bounded by the number of connections. */
const longBytes = 8_192

type Answer = { readonly reply: Closable; readonly bytes: number; readonly since: number }

type Closable = Pick<ServerResponse, 'once' | 'destroy'>

/**
 * Answers that are written faster than they are read. Each connection has one at most (see Pipelines); this bounds what
 * all of them hold together.
 */
export class Unread {
  readonly #clock: Clock
  readonly #limits: UnreadLimits
  /** The oldest first. */
  readonly #answers = new Set<Answer>()
  #bytes = 0

  constructor(clock: Clock, limits: UnreadLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether one more may be begun. Those that nobody reads are given up for it. */
  hasRoom(): boolean {
    const { unreadBytesMax, unreadMsMax } = this.#limits
    const before = this.#clock.now() - unreadMsMax
    for (const answer of this.#answers) {
      if (this.#bytes <= unreadBytesMax / 2 || answer.since > before) break
      this.#giveUp(answer)
    }
    return this.#bytes <= unreadBytesMax / 2
  }

  add(reply: Closable, bytes: number): void {
    if (bytes < longBytes) return
    const answer = { reply, bytes, since: this.#clock.now() }
    this.#answers.add(answer)
    this.#bytes += bytes
    reply.once('close', () => this.#forget(answer))
    for (const oldest of this.#answers) {
      if (this.#bytes <= this.#limits.unreadBytesMax) break
      this.#giveUp(oldest)
    }
  }

  #giveUp(answer: Answer): void {
    this.#forget(answer)
    answer.reply.destroy()
  }

  #forget(answer: Answer): void {
    if (this.#answers.delete(answer)) this.#bytes -= answer.bytes
  }
}

/** Whoever runs the process sees that it lives. */
const probePaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** Reads are not begun while too much is unread; writes always are, as their answers are short. */
export const boundUnread = (http: FastifyInstance, unread: Unread): void => {
  http.addHook('onRequest', (request, reply, done) => {
    const isProbe = probePaths.has(request.routeOptions.url ?? '')
    if (request.method !== 'GET' || isProbe || unread.hasRoom()) return done()
    sendProblem(reply, 'PARCOMOLO_HTTP_OVERLOADED', 'too many answers wait for their readers; ask again shortly')
  })
  http.addHook('onSend', (_, reply, payload, done) => {
    if (typeof payload === 'string' || Buffer.isBuffer(payload)) unread.add(reply.raw, payload.length)
    done(null, payload)
  })
}
