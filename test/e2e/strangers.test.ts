import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { get, order, post, requestBody } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

/** What anybody may do who reaches the port: the process lives, and serves the others. */

const started = async (
  t: ExecutionContext,
  variables: Record<string, string>,
  descriptorsMax?: number
): Promise<ShopProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-strangers-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const shop = new ShopProcess(folder, variables, descriptorsMax)
  t.teardown(() => shop.end('SIGKILL'))
  await shop.start()
  return shop
}

const connected = (t: ExecutionContext, shop: ShopProcess): Socket => {
  const { hostname, port } = new URL(shop.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  return socket
}

/** Each request that fails was the last on a connection that the server had let go. */
const insisting = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let i = 0; i < 500; i++) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
  }
  return ask()
}

/** Resolves when it has gone out to the other side's buffers. */
const sent = (socket: Socket, text: string): Promise<void> =>
  new Promise((resolve) => void socket.write(text, () => resolve()))

test('who asks for a thousand pages at once and reads none costs one page a connection', async (t) => {
  t.timeout(180_000)
  const shop = await started(t, { NODE_OPTIONS: '--max-old-space-size=256' })
  for (let i = 0; i < 10; i++)
    await Promise.all(Array.from({ length: 25 }, () => post(shop, '/orders', requestBody('tok_visa'))))
  const asked = 'GET /orders?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_300)
  const sockets = Array.from({ length: 24 }, () => connected(t, shop).pause())
  await Promise.all(sockets.map((socket) => sent(socket, asked)))
  for (let i = 0; i < 20; i++) t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
  t.true(shop.isRunning, shop.errors)
  t.is(shop.errors, '')
  t.is((await get<{ items: unknown[] }>(shop, '/orders?limit=200')).items.length, 200)
})

test('who waits for orders that there are not, in whatever numbers, holds up no order', async (t) => {
  t.timeout(120_000)
  const shop = await started(t, {})
  const waits = 'GET /orders/zzz?wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const beyond = waits.replace('Host', 'Parcomolo-Position: order-events/0@999999999\r\nHost').replace('?wait=60s', '')
  await Promise.all([waits, beyond].map((asked) => sent(connected(t, shop), asked.repeat(2_100))))
  await Promise.all(Array.from({ length: 1_000 }, () => sent(connected(t, shop), waits)))
  for (let i = 0; i < 30; i++) t.is((await post(shop, '/orders', requestBody('tok_visa'))).status, 201)
  t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
})

test('with 256 descriptors and a crowd beyond them, the process lives and serves who is in', async (t) => {
  t.timeout(180_000)
  const shop = await started(t, {}, 256)
  const idle = Array.from({ length: 400 }, () => connected(t, shop))
  const insist = async (): Promise<number> => {
    for (let i = 0; i < 200; i++) {
      const answer = await post(shop, '/orders', requestBody('tok_visa')).catch(() => undefined)
      if (answer?.status === 201) return 1
    }
    return 0
  }
  for (const socket of idle) socket.write('GET /stock HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let taken = 0
  for (let round = 0; round < 4; round++) {
    const crowd = await Promise.all(Array.from({ length: 150 }, insist))
    taken += crowd.reduce((sum, one) => sum + one, 0)
  }
  for (const socket of idle) socket.destroy()
  t.true(taken > 250, `${taken} orders were taken`)
  t.true(shop.isRunning, shop.errors)
  // Connections that the client has kept may be among those that made room.
  const last = await insisting(() => order(shop, requestBody('tok_visa')))
  t.is(last.status, 'COMPLETED')
  t.is(shop.errors, '')
})
