import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../base/index.ts'
import type { RouteDeps } from './deps.ts'
import { sendProblem } from './problem.ts'

export type AdmissionLimits = {
  /** So many may be in work at once whatever their answers take. */
  readonly inWorkMin: number
  readonly inWorkMax: number
  /** More than the least are let in only while answers take no longer, or than twice what they take at best. */
  readonly answerMsWanted: number
  /** What somebody is held for (`?wait=`) is work while it is younger: it gets on. */
  readonly heldAsWorkMs: number
  /** Requests held at once: for an end, or for the read model to come to a position. */
  readonly heldMax: number
  /** Those of them that wait for the end of what nobody knows. */
  readonly heldForUnknownMax: number
  /** Bytes of the bodies that are in work. */
  readonly bodyBytesInWorkMax: number
}

export const admissionLimits: AdmissionLimits = {
  inWorkMin: 256,
  inWorkMax: 1_000,
  answerMsWanted: 50,
  heldAsWorkMs: 2_000,
  heldMax: 1_500,
  heldForUnknownMax: 500,
  bodyBytesInWorkMax: 16 * 1024 * 1024
}

/** Those who are sent away come again at this share of the pace at which work is answered, or at the least one. */
const returningShare = 1 / 4
const returningPerSecondMin = 100
const retryAfterSecondsMax = 60
const windowMs = 100
const begunMax = 10_000

/**
 * Who may begin, so that all that is begun ends soon, and who may not is told at once.
 *
 * D1. In work is what a route with `isWork` has begun (an order, say) and not yet answered, and what somebody is held
 *     for while it is young: each once, however many are held for it. Who only asks takes no place from whoever begins
 *     something. Nobody who is held is sent away for what is new.
 * D2. How many may be in work follows from how long answers take: a few more while that is as wanted, a good part fewer
 *     otherwise (additive increase, multiplicative decrease), within bounds.
 * D3. Who is sent away gets a time to come again, one after the other, so that those who come again are a small part of
 *     the work however many they are.
 */
export class Admission {
  readonly #clock: Clock
  readonly #limits: AdmissionLimits
  #heldCount = 0
  #heldForUnknownCount = 0
  #bodyBytes = 0
  /** What somebody is held for and counts as work, by id; the oldest first. */
  readonly #young = new Map<string, Young>()
  /** When what was begun here, by id, as far as that may be asked for again; the oldest first. */
  readonly #begun = new Map<string, number>()
  #answering = 0
  #inWorkMax: number
  #bestMs = Infinity
  #window: { readonly since: number; count: number; sumMs: number; wasFull: boolean }
  #answeredPerSecond = 0
  #lastTurnAt = 0

  constructor(clock: Clock, limits: AdmissionLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#inWorkMax = limits.inWorkMin
    this.#window = { since: clock.now(), count: 0, sumMs: 0, wasFull: false }
  }

  get inWork(): number {
    const before = this.#clock.now() - this.#limits.heldAsWorkMs
    for (const [id, { since }] of this.#young) {
      if (since > before) break
      this.#young.delete(id)
    }
    return this.#answering + this.#young.size
  }

  get inWorkMax(): number {
    return this.#inWorkMax
  }

  /** Gives what to call when the request is answered; undefined where it may not begin. */
  begin(): (() => void) | undefined {
    if (this.inWork >= this.#inWorkMax) {
      this.#window.wasFull = true
      return undefined
    }
    this.#answering++
    const since = this.#clock.now()
    return () => {
      this.#answering--
      this.#answered(this.#clock.now() - since)
    }
  }

  /** Gives what to call when the request is let go; undefined where no more may be held. */
  hold(): (() => void) | undefined {
    if (this.#heldCount >= this.#limits.heldMax) return undefined
    this.#heldCount++
    return () => void this.#heldCount--
  }

  /** It was begun here: most that somebody is held for is such, and is not looked for in the read model. */
  begun(id: string): void {
    const now = this.#clock.now()
    this.#begun.set(id, now)
    for (const [oldest, at] of this.#begun) {
      if (now - at < this.#limits.heldAsWorkMs && this.#begun.size <= begunMax) break
      this.#begun.delete(oldest)
    }
  }

  /** When it was begun here; undefined where it is old, or was not. */
  begunAt(id: string): number | undefined {
    return this.#begun.get(id)
  }

  /** Beside `hold`: somebody is held for this, begun at this time; undefined where nobody knows it so far. */
  holdFor(id: string, begunAt: number | null | undefined): (() => void) | undefined {
    if (typeof begunAt === 'number') return this.#holdForKnown(id, begunAt)
    if (this.#heldForUnknownCount >= this.#limits.heldForUnknownMax) return undefined
    this.#heldForUnknownCount++
    return () => void this.#heldForUnknownCount--
  }

  #holdForKnown(id: string, begunAt: number): () => void {
    const now = this.#clock.now()
    if (now - begunAt >= this.#limits.heldAsWorkMs) return () => undefined
    const young = this.#young.get(id) ?? { since: now, count: 0 }
    young.count++
    this.#young.set(id, young)
    return () => {
      if (--young.count === 0 && this.#young.get(id) === young) this.#young.delete(id)
    }
  }

  /** Gives what to call when the request is answered; undefined where such a body has no room now. */
  read(bytes: number): (() => void) | undefined {
    if (this.#bodyBytes + bytes > this.#limits.bodyBytesInWorkMax) return undefined
    this.#bodyBytes += bytes
    return () => void (this.#bodyBytes -= bytes)
  }

  /** For one who is sent away. */
  retryAfterSeconds(): number {
    const now = this.#clock.now()
    const perSecond = Math.max(returningPerSecondMin, this.#answeredPerSecond * returningShare)
    const turnAt = Math.max(now + 1_000, this.#lastTurnAt + 1_000 / perSecond)
    this.#lastTurnAt = Math.min(turnAt, now + retryAfterSecondsMax * 1_000)
    return Math.ceil((this.#lastTurnAt - now) / 1_000)
  }

  #answered(tookMs: number): void {
    const window = this.#window
    window.count++
    window.sumMs += tookMs
    const now = this.#clock.now()
    if (now - window.since >= windowMs) this.#adapt(now)
  }

  #adapt(now: number): void {
    const { since, count, sumMs, wasFull } = this.#window
    const meanMs = sumMs / count
    this.#answeredPerSecond = (count / (now - since)) * 1_000
    // What was best once is forgotten by and by: the log may have become slower.
    this.#bestMs = Math.min(meanMs, this.#bestMs * 1.01)
    const { inWorkMin, inWorkMax, answerMsWanted } = this.#limits
    const wantedMs = Math.max(answerMsWanted, this.#bestMs * 2)
    const factor = Math.max(0.7, wantedMs / meanMs)
    if (factor < 1) this.#inWorkMax = Math.max(inWorkMin, Math.floor(this.#inWorkMax * factor))
    else if (wasFull) this.#inWorkMax = Math.min(inWorkMax, this.#inWorkMax + 10)
    this.#window = { since: now, count: 0, sumMs: 0, wasFull: false }
  }
}

type Young = { readonly since: number; count: number }

/** At the door, before a body is read: who would only join a queue that is too long is sent away. */
export const admit = (http: FastifyInstance, { admission, limits }: RouteDeps): void => {
  boundBodies(http, admission, limits.bodyBytesMax)
  http.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const enter = entry(request)
    if (enter === undefined) return done()
    const leave = admission[enter]()
    if (leave === undefined) return void sendAway(reply, admission)
    reply.raw.once('close', leave)
    done()
  })
}

/** Small bodies are bounded by the number of requests. */
const smallBody = 2_048

/** A body of untold length may be as long as any; one that is told to be longer is refused when it is read. */
const boundBodies = (http: FastifyInstance, admission: Admission, bodyBytesMax: number): void => {
  http.addHook('onRequest', ({ headers }: FastifyRequest, reply: FastifyReply, done) => {
    const told = headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? 0 : bodyBytesMax)
    const bytes = Number(told)
    if (!(bytes > smallBody) || bytes > bodyBytesMax) return done()
    const leave = admission.read(bytes)
    if (leave === undefined) return void sendAway(reply, admission)
    reply.raw.once('close', leave)
    done()
  })
}

const entry = (request: FastifyRequest): 'begin' | 'hold' | undefined => {
  if (request.method !== 'GET') return request.routeOptions.config.isWork === true ? 'begin' : undefined
  const { query, headers } = request
  const isHeld = (query as { wait?: unknown }).wait !== undefined || headers['parcomolo-position'] !== undefined
  return isHeld ? 'hold' : undefined
}

export const sendAway = (reply: FastifyReply, admission: Admission): FastifyReply => {
  const headers = { 'retry-after': String(admission.retryAfterSeconds()) }
  return sendProblem(reply, 'PARCOMOLO_HTTP_OVERLOADED', sentAway, { headers })
}

const sentAway =
  'as many requests are in work as can be answered soon; nothing was taken, so repeat the request after the time in ' +
  'Retry-After'
