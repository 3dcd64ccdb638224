import type { RequestListener, Server } from 'node:http'
import { createServer as createListener, type AddressInfo, type ListenOptions } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { answerBadHttp } from './error-handler.ts'

/**
 * How connections come in. The event loop takes one new connection a turn from each socket that listens (libuv since
 * 1.45). While a turn takes 20 ms that is 50 a second: of a crowd that comes at once the last would be heard after a
 * minute, to be sent away then. So where the system has several sockets listen on one port (Linux), there are several.
 */
export class Doors {
  readonly #http: FastifyInstance
  readonly #newServer: (begin: RequestListener) => Server
  /** Beside the server's own. */
  readonly #further: Server[] = []

  constructor(http: FastifyInstance, newServer: (begin: RequestListener) => Server) {
    this.#http = http
    this.#newServer = newServer
  }

  /** Rejects as the server's own `listen` does. */
  async listen(host: string, port: number, count: number): Promise<void> {
    if (count === 1 || !canSharePort) return void (await this.#http.listen({ host, port, backlog }))
    const shared = { host, port: await freePort(host, port), backlog, reusePort: true }
    await this.#http.listen(shared)
    for (let i = 1; i < count; i++) {
      const server = this.#newServer((request, reply) => this.#http.routing(request, reply))
      server.on('clientError', answerBadHttp)
      await listening(server, shared)
      this.#further.push(server)
    }
  }

  /**
   * Stops so that nobody is reset: for this long each answer is the last of its connection (`closeSoon` says so in it),
   * and what still comes is answered; then, between two turns in which nobody came, those go that say nothing. Resolves
   * when all requests have been answered.
   */
  async close(lingerMs: number): Promise<void> {
    const servers = [this.#http.server, ...this.#further].filter((server) => server.listening)
    await nobodyLeft(servers, lingerMs)
    await nobodyComes(servers)
    await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))))
  }
}

const lookEveryMs = 20

/** Whether each has ended its connection, at most as long as this. */
const nobodyLeft = async (servers: readonly Server[], msMax: number): Promise<void> => {
  for (let ms = 0; ms < msMax; ms += lookEveryMs) {
    const counts = await Promise.all(servers.map(connectionCount))
    if (counts.every((count) => count === 0)) return
    await new Promise((resolve) => void setTimeout(resolve, lookEveryMs))
  }
}

const connectionCount = (server: Server): Promise<number> =>
  new Promise((resolve) => void server.getConnections((_, count) => resolve(count)))

const turnsMax = 1_000

/**
 * Who has connected and is not taken yet would be reset, and so would who has sent something that is not read yet: both
 * are done with at the end of a turn that has brought nobody new.
 */
const nobodyComes = async (servers: readonly Server[]): Promise<void> => {
  let came = 0
  const count = (): void => void came++
  for (const server of servers) server.on('connection', count)
  let [before, turns] = [-1, 0]
  while (before !== came && turns++ < turnsMax) {
    before = came
    await nextTurn()
    await nextTurn()
  }
  for (const server of servers) server.off('connection', count)
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const canSharePort = process.platform === 'linux'

/** Of a crowd that comes at once, those beyond it would try again after seconds; the system may have a lower bound. */
const backlog = 4_096

/** Sockets that share a port do not see that another process has it; one that does not share it does. */
const freePort = async (host: string, port: number): Promise<number> => {
  const probe = createListener()
  await listening(probe, { host, port })
  const { port: free } = probe.address() as AddressInfo
  await new Promise((resolve) => void probe.close(resolve))
  return free
}

const listening = (server: ReturnType<typeof createListener>, options: ListenOptions): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(options, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}

declare module 'fastify' {
  interface FastifyInstance {
    doors: Doors
  }
}
