import { HttpMethod, IsomorphicFetchHttpLibrary, type KubeConfig, RequestContext } from '@kubernetes/client-node'
import { type Clock } from '../../base/index.ts'
import { failedCall, refusedCall } from './api-error.ts'
import { deadline, TooLate } from './pause.ts'

export type Call = {
  readonly method: keyof typeof HttpMethod
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** The way to one API server, as one user. */
export type Connection = {
  /** An answer in JSON, within `answerMsMax`. Rejects with PARCOMOLO_OPERATOR_API_UNAVAILABLE or _REFUSED. */
  json<T>(call: Call): Promise<T>
  /** The bytes of an answer that goes on until the signal ends it. Its beginning is there within `answerMsMax`. */
  stream(call: Call & { readonly signal: AbortSignal }): Promise<ReadableStream<Uint8Array>>
  close(): Promise<void>
}

const answerMsMax = 10_000

type Answer = Awaited<ReturnType<ReturnType<IsomorphicFetchHttpLibrary['send']>['toPromise']>>

/**
 * The library's generated calls know no signal, and its `Watch` swallows what it cannot read; so only its
 * configuration, its authentication and its HTTP are used here.
 */
export const connect = (config: KubeConfig, clock: Clock): Connection => {
  const send = senderOf(config)
  /** Runs `take` on the answer; whatever goes wrong is told as an error of this call. */
  const answered = async <T>(call: Call, take: (answer: Answer) => Promise<T>, signal: AbortSignal): Promise<T> => {
    const name = `${call.method} '${call.path}'`
    let refused
    try {
      const answer = await send.send(call, signal)
      if (answer.httpStatusCode < 300) return await take(answer)
      refused = refusedCall(name, answer.httpStatusCode, await answer.body.text())
    } catch (error) {
      if (signal.reason instanceof TooLate) send.dropPool()
      throw failedCall(name, signal.aborted ? signal.reason : error)
    }
    throw refused
  }
  return {
    json: async <T>(call: Call): Promise<T> => {
      const limit = deadline(clock, answerMsMax, call.signal)
      try {
        return await answered(call, async (answer) => JSON.parse(await answer.body.text()) as T, limit.signal)
      } finally {
        limit.cancel()
      }
    },
    stream: async (call) => {
      const whole = new AbortController()
      const end = (): void => {
        if (call.signal.reason instanceof TooLate) send.dropPool()
        whole.abort(call.signal.reason)
      }
      call.signal.addEventListener('abort', end)
      const beginning = deadline(clock, answerMsMax, call.signal)
      beginning.signal.addEventListener('abort', () => whole.abort(beginning.signal.reason))
      try {
        return await answered(call, async (answer) => answer.body.stream()!, whole.signal)
      } finally {
        beginning.cancel()
      }
    },
    close: () => send.close()
  }
}

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>

/**
 * The library makes a pool of connections for every request: all requests are given the first one. By HTTP/2 that is
 * one connection, and if it leads nowhere any more, all that use it wait in vain: so it is dropped as a whole when an
 * answer is too late, and whoever still waits is told at once.
 */
const senderOf = (config: KubeConfig) => {
  const http = new IsomorphicFetchHttpLibrary()
  const server = config.getCurrentCluster()!.server.replace(/\/$/, '')
  let pool: Dispatcher | undefined
  return {
    send: async (call: Call, signal: AbortSignal): Promise<Answer> => {
      const context = new RequestContext(server + call.path, HttpMethod[call.method])
      for (const [name, value] of Object.entries(call.query ?? {}))
        if (value !== undefined) context.setQueryParam(name, String(value))
      context.setHeaderParam('Accept', 'application/json')
      context.setHeaderParam('User-Agent', 'parcomolo-operator')
      if (call.body !== undefined) {
        context.setHeaderParam('Content-Type', call.contentType ?? 'application/json')
        context.setBody(JSON.stringify(call.body))
      }
      context.setSignal(signal)
      await config.applySecurityAuthentication(context)
      pool ??= context.getDispatcher()
      if (pool !== undefined) context.setDispatcher(pool)
      return http.send(context).toPromise()
    },
    dropPool: (): void => {
      const dropped = pool
      pool = undefined
      void dropped?.destroy().catch(() => undefined)
    },
    close: async (): Promise<void> => {
      await pool?.destroy()
    }
  }
}
