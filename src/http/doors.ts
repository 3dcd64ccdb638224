import { createServer, type Server, type ServerOptions } from 'node:http'
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
  readonly #options: ServerOptions
  /** Beside the server's own. */
  readonly #further: Server[] = []

  constructor(http: FastifyInstance, options: ServerOptions) {
    this.#http = http
    this.#options = options
  }

  /** Rejects as the server's own `listen` does. */
  async listen(host: string, port: number, count: number): Promise<void> {
    if (count === 1 || !canSharePort) return void (await this.#http.listen({ host, port, backlog }))
    const shared = { host, port: await freePort(host, port), backlog, reusePort: true }
    await this.#http.listen(shared)
    for (let i = 1; i < count; i++) {
      const server = createServer(this.#options, (request, reply) => this.#http.routing(request, reply))
      server.on('clientError', answerBadHttp)
      await listening(server, shared)
      this.#further.push(server)
    }
  }

  /** Resolves when all requests have been answered that came in here, and not by the server's own socket. */
  async close(): Promise<void> {
    await Promise.all(this.#further.map((server) => new Promise((resolve) => void server.close(resolve))))
  }
}

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
