import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { ApiServer } from '../../helpers/api-server.ts'

/** A way to an API server that can be cut. */
export type Proxy = {
  /** A kubeconfig that leads through it. */
  readonly kubeconfig: string
  readonly connectionCount: number
  /** Breaks all connections; new ones work, unless it is closed. */
  cut(): void
  /** Nothing comes through the connections that there are, and neither end knows; new ones work. */
  hold(): void
  /** From now on nobody gets through, until it is opened again. */
  close(): void
  open(): void
  stop(): Promise<void>
}

export const startProxy = async (api: ApiServer, name: string): Promise<Proxy> => {
  const port = Number(new URL(api.url).port)
  const sockets = new Set<Socket>()
  let isOpen = true
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const held = new WeakSet<Socket>()
  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      if (!held.has(from)) to.write(bytes)
    })
  }
  const server = createServer((client) => {
    if (!isOpen) return client.destroy()
    const upstream = connect(port, '127.0.0.1')
    keep(client)
    keep(upstream)
    forward(client, upstream)
    forward(upstream, client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const kubeconfig = `${api.kubeconfig}-${name}`
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  await writeFile(kubeconfig, (await readFile(api.kubeconfig, 'utf8')).replace(api.url, url))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    kubeconfig,
    get connectionCount() {
      return sockets.size / 2
    },
    cut,
    hold: () => {
      for (const socket of sockets) held.add(socket)
    },
    close: () => {
      isOpen = false
      cut()
    },
    open: () => {
      isOpen = true
    },
    stop: async () => {
      cut()
      server.close()
      await once(server, 'close')
    }
  }
}
