import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import { withParts } from './database.ts'

/** A port that leads to another one, and can be cut off from it. */
export class Relay {
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  constructor(host: string, port: number) {
    this.#target = { host, port }
  }

  get port(): number {
    return this.#port
  }

  /** Whoever connects from now on gets through, at the same port each time. */
  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(this.#target)
      for (const [socket, other] of [
        [near, far],
        [far, near]
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => other.destroy())
        socket.on('close', () => (other.destroy(), this.#sockets.delete(socket)))
      }
      near.pipe(far).pipe(near)
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as { port: number }).port
  }

  /** Ends all connections, and takes no new ones. */
  async cut(): Promise<void> {
    const closed = once(this.#server!, 'close')
    this.#server!.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** A URL that leads to the database through a relay of the test. */
export const throughRelay = async (t: ExecutionContext, url: string): Promise<{ relay: Relay; url: string }> => {
  const { hostname, port } = new URL(url)
  const relay = new Relay(hostname, Number(port))
  await relay.open()
  t.teardown(() => relay.cut().catch(() => undefined))
  return { relay, url: withParts(url, { port: String(relay.port) }) }
}
