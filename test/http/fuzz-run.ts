import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { startShop } from '../helpers/running-shop.ts'
import { type Document, Fuzzer, type FuzzRequest } from './fuzzing.ts'
import { get, orderBody, post, put } from './requests.ts'

export type Fault = { readonly what: string; readonly request: string; readonly answer: string }
export type FuzzResult = {
  readonly faults: readonly Fault[]
  readonly statuses: Readonly<Record<string, number>>
  /** The most that one request cost, in ms of this process's CPU, with the sending of it. */
  readonly cpuMsMax: number
}

/** No request may cost more, where it does so again and again. */
const cpuMsAllowed = 50
const repeats = 4

/**
 * Sends so many requests to a shop of its own. Each must be answered as the OpenAPI document says, never with a 5xx,
 * with a problem where it is refused, and cheaply.
 */
export const fuzz = async (count: number, seed: string): Promise<FuzzResult> => {
  const lines: string[] = []
  const shop = await startShop('orchestration', {
    ...{ logLevel: 'warn', logStream: { write: (line: string) => void lines.push(line) } },
    limits: { waitMsMax: 5 }
  })
  try {
    await shop.http.listen({ host: '127.0.0.1', port: 0 })
    const { port } = shop.http.server.address() as AddressInfo
    const orderIds: string[] = []
    for (let i = 0; i < 5; i++)
      orderIds.push((await post(shop.http, '/orders', orderBody())).json<{ orderId: string }>().orderId)
    // As many names as there may be, all of them alike.
    for (let i = 0; i < 1_000; i++)
      await put(shop.http, `/stock/${`sku-${i}-`.padEnd(64, 'x')}`, { name: 'X', priceCents: 1, onHand: 1 })
    const document = (await get(shop.http, '/openapi.json')).json<Document>()
    const known = {
      ...{ orderId: orderIds, key: orderIds, saga: ['order'], sku: ['book', 'lamp'], status: ['COMPLETED', 'running'] },
      ...{ wait: ['0s', '1ms', '5ms', '6ms', '-1s', '1h'], code: ['PARCOMOLO_HTTP_NOT_FOUND'] },
      ...{ 'parcomolo-position': ['order-events/0@0', 'stock-events/0@0,order-events/0@1'], 'idempotency-key': ['k'] }
    }
    const run = new Run(port)
    const fuzzer = new Fuzzer(document, seed, known)
    for (let i = 0; i < count; i++) await run.send(fuzzer.next())
    for (const line of lines) run.faults.push({ what: 'a line was written', request: '', answer: line.slice(0, 500) })
    return { faults: run.faults, statuses: run.statuses, cpuMsMax: run.cpuMsMax }
  } finally {
    await shop.stop()
  }
}

class Run {
  readonly faults: Fault[] = []
  readonly statuses: Record<string, number> = {}
  cpuMsMax = 0
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async send(request: FuzzRequest): Promise<void> {
    const text = rawOf(request)
    const { answer, cpuMs } = await this.#measured(text)
    this.cpuMsMax = Math.max(this.cpuMsMax, cpuMs)
    const what = cpuMs > cpuMsAllowed ? `it cost ${cpuMs.toFixed(0)} ms` : faultOf(request, answer)
    if (what !== undefined)
      this.faults.push({ what, request: text.toString('latin1', 0, 500), answer: answer.slice(0, 500) })
    const status = String(statusOf(answer))
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
  }

  /** What costs much once may have met a garbage collection, or sagas at work; so the least of several counts. */
  async #measured(text: Buffer): Promise<{ answer: string; cpuMs: number }> {
    let [first, least] = ['', Infinity]
    for (let i = 0; i < repeats && least > cpuMsAllowed; i++) {
      const before = process.cpuUsage()
      const answer = await this.#sent(text)
      const { user, system } = process.cpuUsage(before)
      if (i === 0) first = answer
      least = Math.min(least, (user + system) / 1_000)
    }
    return { answer: first, cpuMs: least }
  }

  async #sent(text: Buffer): Promise<string> {
    const socket = connect(this.#port, '127.0.0.1')
    let answer = ''
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')))
    // Who is refused early may be cut off while it still sends.
    socket.on('error', () => undefined)
    socket.write(text)
    await once(socket, 'close')
    return answer
  }
}

const rawOf = ({ method, path, headers, body }: FuzzRequest): Buffer => {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`]
  const head = [`${method} ${path} HTTP/1.1`, ...headers, ...length, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)])
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)

/** What is wrong with the answer, if anything. */
const faultOf = (request: FuzzRequest, answer: string): string | undefined => {
  const status = statusOf(answer)
  if (status === 0) return 'there was no answer'
  if (status >= 500) return `it was answered with ${status}`
  if (/node_modules|at .*\.[jt]s:\d+/.test(answer.slice(0, 2_000))) return 'it shows the inside'
  if (status >= 400) {
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    if (!/content-type: application\/problem\+json/i.test(answer)) return 'its refusal is no problem'
    if (!/"status":\d+,"code":"PARCOMOLO_\w+","detail":".*"instance":"/.test(body)) return 'its problem is not whole'
  }
  const { statuses } = request
  return statuses === undefined || statuses.has(status) || isOfNoOperation(status)
    ? undefined
    : `${status} is not documented`
}

/** A path that was changed leads elsewhere, or nowhere. */
const isOfNoOperation = (status: number): boolean => [302, 403, 404, 405].includes(status)
