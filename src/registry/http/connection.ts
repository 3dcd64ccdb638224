import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import client, { type SchemaRegistryAPIClient } from '@kafkajs/confluent-schema-registry/dist/api/index.js'
import { ParcomoloError } from '../../base/index.ts'
import { isDenied } from '../denied.ts'
import { type Address } from './address.ts'
import { gateOf } from './gate.ts'

/** A request of the client, such as `api.Subject.latestVersion`. */
type Send = (params: Params) => Promise<{ data(): unknown }>

type Params = Readonly<Record<string, string | number | boolean | object>>

export type Request<T, R> = {
  readonly send: (api: SchemaRegistryAPIClient) => Send
  /** The values in the path, others as the query, and the `body`. */
  readonly params: Params
  /** What the answer says; undefined where it is not the answer of a schema registry. */
  readonly read: (data: unknown) => T | undefined
  /** What it means when the registry says no with this status, in its own words. */
  readonly refusals?: Readonly<Record<number, (message: string) => R>>
}

/**
 * The requests to one registry, on the HTTP client of @kafkajs/confluent-schema-registry.
 *
 * C1. Every request ends: `requestTimeoutMs` after it was sent, or at the close, whatever the socket does. The client
 *     alone would wait for ever where a server dies in the middle of an answer.
 * C2. What is neither an answer nor a refusal that the caller knows rejects with PARCOMOLO_REGISTRY_UNAVAILABLE:
 *     retryable, with the status (`details.status`) where there was an answer. Rights come back as servers do.
 * C3. No message has credentials in it.
 */
export type Connection = {
  readonly ask: <T, R = never>(request: Request<T, R>) => Promise<T | R>
  readonly close: () => void
}

/** So that a start with hundreds of schemas does not make the registry so slow that requests time out. */
const requestsAtOnceMax = 8
/** Shorter than registries keep an idle socket: a request on one that they are just closing is lost. */
const idleMsMax = 4000
const clientId = 'parcomolo'

/**
 * Bridges what passes within a second: a connection that was reset, an instance that was replaced. All requests are
 * retried, for all may be repeated: to register the same schema again gives the same id. All options are given, for
 * the client keeps those of its instances in one object (`Object.assign(DEFAULT_RETRY, retry)`).
 */
const retry = {
  ...{ retries: 3, initialRetryTimeInSecs: 0.1, multiplier: 2, factor: 0.2, maxRetryTimeInSecs: 1 },
  enableRetry: (): boolean => true
}

export const connect = ({ url, auth }: Address, requestTimeoutMs: number): Connection => {
  const Agent = url.startsWith('https:') ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: true, timeout: idleMsMax })
  // The client by itself, not its class SchemaRegistry: that hides the text of the schemas, and loads Protobuf and ajv.
  const api = client.default({ host: url, clientId, agent, retry, ...(auth === undefined ? {} : { auth }) })
  const gate = gateOf(requestsAtOnceMax)
  const closing = new AbortController()
  const answerTo = (send: Send, params: Params): Promise<unknown> =>
    gate(() => within(requestTimeoutMs, closing.signal, async (signal) => (await send({ ...params, signal })).data()))
  return {
    ask: async ({ send, params, read, refusals = {} }) => {
      const answer = await settled(answerTo(send(api), params))
      if ('failure' in answer) {
        const { status, message, isOfRegistry } = failureOf(answer.failure)
        const refused = isOfRegistry ? refusals[status] : undefined
        if (refused !== undefined) return refused(message)
        throw unavailable(url, { status, reason: message, isOfRegistry, cause: answer.failure })
      }
      const meaning = read(answer.data)
      if (meaning !== undefined) return meaning
      throw unavailable(url, { status: 200, reason: `it answered ${excerpt(answer.data)}`, isOfRegistry: false })
    },
    close: () => {
      closing.abort(new Error('the connection was closed'))
      agent.destroy()
    }
  }
}

const settled = async (promise: Promise<unknown>): Promise<{ data: unknown } | { failure: unknown }> => {
  try {
    return { data: await promise }
  } catch (failure) {
    return { failure }
  }
}

const within = async <T>(
  timeoutMs: number,
  closed: AbortSignal,
  send: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  closed.throwIfAborted()
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`it did not answer within ${timeoutMs} ms`)), timeoutMs)
  const signal = AbortSignal.any([closed, late.signal])
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([send(signal), ended])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What the client throws has a status (400 where there was no answer at all) and a message that begins with the
 * client's name: then the registry's own words, or `Error, status N: …` where it was not the registry that answered.
 */
const failureOf = (error: unknown): { status: number; message: string; isOfRegistry: boolean } => {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 0
  const said = (error instanceof Error ? error.message : String(error)).replace(`${clientId} - `, '').trim()
  const foreign = /^Error, status (\d+)(?:: (.*))?$/s.exec(said)
  if (foreign === null) return { status, message: said, isOfRegistry: status !== 0 }
  // A name with several addresses that all refuse gives an error without a message.
  const reached = status === 400 ? 'it cannot be reached' : `it answered with status ${status}`
  const text = foreign[2] ?? ''
  return { status, message: status === 400 && text !== '' ? text : withText(reached, text), isOfRegistry: false }
}

/** The client writes `[object Object]` where the answer is JSON that is not of a registry. */
const withText = (what: string, text: string): string =>
  text === '' || text === '[object Object]' ? what : `${what} ${excerpt(text)}`

const excerptCharsMax = 100

const excerpt = (data: unknown): string => {
  const text = (typeof data === 'string' ? data : JSON.stringify(data)).replaceAll(/\s+/g, ' ')
  return `'${text.length > excerptCharsMax ? `${text.slice(0, excerptCharsMax)}…` : text}'`
}

type Trouble = {
  readonly status: number
  readonly reason: string
  /** The registry has answered in its own form: it is there, and does not want to. */
  readonly isOfRegistry: boolean
  readonly cause?: unknown
}

const unavailable = (url: string, { status, reason, isOfRegistry, cause }: Trouble): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_UNAVAILABLE',
    `schema registry '${url}' is unavailable: ${reason}; expected ${expectedOf(status, isOfRegistry)}`,
    { retryable: true, details: { url, status }, cause }
  )

const expectedOf = (status: number, isOfRegistry: boolean): string => {
  if (isDenied(status)) return 'user and password that it takes, with the right to do this'
  return isOfRegistry && status >= 400 && status < 500
    ? 'a registry that does this (see its mode, which may be READONLY, and its own log)'
    : 'the answer of a Confluent schema registry, at its base path'
}
