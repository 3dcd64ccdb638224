import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { addressRefused, isPrivate, publicLookup } from './addresses.ts'

export type Request = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  /** Ends the call, whatever comes of it. */
  readonly signal: AbortSignal
}

export type Answer =
  | {
      readonly status: number
      readonly type: string | undefined
      readonly retryAfter: string | undefined
      readonly body: Buffer
    }
  | { readonly failure: 'timeout' | 'unreachable' | 'too-large' | 'address-refused'; readonly detail: string }

export type Client = { post(request: Request): Promise<Answer>; close(): void }

/** Of an answer. */
const answerBytesMax = 1024 * 1024
const idleMs = 15_000

/**
 * Posts and reads the whole answer. It follows no redirect, sends through no proxy, unpacks nothing, and believes no
 * certificate that Node does not (NODE_EXTRA_CA_CERTS). `isPrivateAllowed`: otherwise only public addresses are
 * connected to.
 */
export const makeClient = (isPrivateAllowed: boolean): Client => {
  const options = { keepAlive: true, keepAliveMsecs: idleMs, timeout: idleMs, scheduling: 'lifo' as const }
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  return {
    post: async (request) => {
      const url = new URL(request.url)
      const host = url.hostname.replace(/^\[|\]$/g, '')
      if (!isPrivateAllowed && isIP(host) > 0 && isPrivate(host)) return refused(addressRefused(host).message)
      const over = AbortSignal.timeout(request.timeoutMs)
      const settings: RequestOptions = {
        method: 'POST',
        agent: agents[url.protocol as keyof typeof agents],
        headers: { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) },
        signal: AbortSignal.any([request.signal, over]),
        ...(isPrivateAllowed ? {} : { lookup: publicLookup })
      }
      try {
        return await answerTo(url, settings, request.body)
      } catch (error) {
        if (over.aborted) return { failure: 'timeout', detail: `no whole answer within ${request.timeoutMs} ms` }
        const { code, message } = error as NodeJS.ErrnoException
        if (code === 'PARCOMOLO_COURIER_ADDRESS_REFUSED') return refused(message)
        return { failure: 'unreachable', detail: code ?? message }
      }
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy()
    }
  }
}

const refused = (detail: string): Answer => ({ failure: 'address-refused', detail })

const answerTo = async (url: URL, settings: RequestOptions, body: string): Promise<Answer> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, settings, resolve)
  request.on('error', reject)
  request.end(body)
  const response = await promise
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes <= answerBytesMax) continue
    request.destroy()
    return { failure: 'too-large', detail: `the answer has more than ${answerBytesMax} bytes` }
  }
  const { statusCode: status = 0, headers } = response
  const type = headers['ce-type']
  return {
    ...{ status, body: Buffer.concat(chunks), retryAfter: headers['retry-after'] },
    type: Array.isArray(type) ? type[0] : type
  }
}
