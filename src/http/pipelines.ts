import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type PipelineLimits = {
  /** Requests of one connection that may wait for their turn before no more is read of it. */
  readonly readAhead: number
  /** Beyond it the connection is closed: what was read at once held that many. */
  readonly waitingMax: number
  /** Requests that wait for their turn, of all connections. */
  readonly waitingInAllMax: number
  /** Beyond that, connections with more than this are closed. */
  readonly fairShare: number
}

export const pipelineLimits: PipelineLimits = {
  readAhead: 64,
  waitingMax: 4_000,
  waitingInAllMax: 8_192,
  fairShare: 8
}

/**
 * Requests that come one after the other on a connection before the first is answered (pipelining): each begins when
 * the answer before it has gone out. So who does not read its answers costs one of them, however much it asks for.
 * Node's server parses all that it has read at once, some 1,300 requests in 64 KB, and would begin each.
 */
export class Pipelines {
  readonly #limits: PipelineLimits
  readonly #waiting = new WeakMap<Socket, { count: number }>()
  #waitingInAll = 0

  constructor(limits: PipelineLimits = pipelineLimits) {
    this.#limits = limits
  }

  get waitingCount(): number {
    return this.#waitingInAll
  }

  /** The listener that begins each request in its turn. */
  inTurn(begin: RequestListener): RequestListener {
    return (request, reply) => {
      // A reply gets the socket when it is its turn to be written.
      if (reply.socket === null) this.#wait(request, reply, begin)
      else begin(request, reply)
    }
  }

  #wait(request: IncomingMessage, reply: ServerResponse, begin: RequestListener): void {
    const { socket } = request
    if (socket.destroyed) return
    const waiting = this.#waitingOf(socket)
    waiting.count++
    this.#waitingInAll++
    if (this.#isTooMany(waiting.count)) return void socket.destroy()
    if (waiting.count > this.#limits.readAhead) socket.pause()
    reply.once('socket', () => {
      waiting.count--
      this.#waitingInAll--
      begin(request, reply)
      this.#readOn(socket, waiting)
    })
  }

  #waitingOf(socket: Socket): { count: number } {
    let waiting = this.#waiting.get(socket)
    if (waiting === undefined) {
      const fresh = { count: 0 }
      this.#waiting.set(socket, (waiting = fresh))
      socket.once('close', () => {
        this.#waitingInAll -= fresh.count
        fresh.count = 0
      })
    }
    return waiting
  }

  #isTooMany(count: number): boolean {
    const { waitingMax, waitingInAllMax, fairShare } = this.#limits
    return count > waitingMax || (this.#waitingInAll > waitingInAllMax && count > fairShare)
  }

  /** Node reads on with each request that has ended: after it has, and before the next bytes are read. */
  #readOn(socket: Socket, waiting: { readonly count: number }): void {
    setImmediate(() => {
      if (waiting.count > this.#limits.readAhead) socket.pause()
      else if (socket.isPaused()) socket.resume()
    })
  }
}
