import type { Server } from 'node:http'

const roomEveryMs = 1_000

/**
 * So many connections at once, over all sockets that listen: each takes a descriptor, and whoever has none left for a
 * file is of no use to anybody. When there are too many, those that are kept alive without saying anything make room;
 * who comes beyond that is let go at once.
 */
export class Connections {
  readonly #max: number
  readonly #onTooMany: () => void
  readonly #servers: Server[] = []
  #count = 0
  #madeRoomAt = -Infinity

  constructor(max: number, onTooMany: () => void) {
    this.#max = max
    this.#onTooMany = onTooMany
  }

  get count(): number {
    return this.#count
  }

  watch(server: Server): void {
    this.#servers.push(server)
    server.on('connection', (socket) => {
      this.#count++
      socket.once('close', () => this.#count--)
      if (this.#count <= this.#max) return
      this.#makeRoom()
      this.#onTooMany()
      socket.destroy()
    })
  }

  #makeRoom(): void {
    const now = performance.now()
    if (now - this.#madeRoomAt < roomEveryMs) return
    this.#madeRoomAt = now
    for (const server of this.#servers) server.closeIdleConnections()
  }
}
