import { EventEmitter, once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { pipelineLimits, Pipelines } from '../../src/http/pipelines.ts'
import { Unread } from '../../src/http/unread.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

const limits = { ...pipelineLimits, readAhead: 4, waitingMax: 50, waitingInAllMax: 60, fairShare: 3 }

const serving = async (t: ExecutionContext, begin: RequestListener) => {
  const pipelines = new Pipelines(limits)
  const server = createServer(pipelines.inTurn(begin))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const dial = (): Socket => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    return socket
  }
  return { pipelines, dial }
}

const asked = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `GET /${from + i} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')

/** What has been answered, one path a line, once there are so many. */
const answered = async (socket: Socket, count: number): Promise<string[]> => {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    const paths = text.match(/(?<=\n)\/\d+/g) ?? []
    if (paths.length === count) return paths
  }
  throw new Error(`closed after: ${text}`)
}

test('requests of one connection begin one after the other, and are answered in their order', async (t) => {
  let [running, most] = [0, 0]
  const { pipelines, dial } = await serving(t, (request, reply) => {
    most = Math.max(most, ++running)
    setImmediate(() => {
      running--
      reply.end(`\n${request.url}`)
    })
  })
  const socket = dial()
  socket.write(asked(0, 30))
  t.deepEqual(
    await answered(socket, 30),
    Array.from({ length: 30 }, (_, i) => `/${i}`)
  )
  t.is(most, 1)
  t.is(pipelines.waitingCount, 0)
})

test('a body that was sent behind another request is read in its turn', async (t) => {
  const { dial } = await serving(t, (request, reply) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => reply.end(`\n/${bytes}`))
  })
  const socket = dial()
  const body = 'x'.repeat(60_000)
  const posted = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${body}`
  socket.write(posted.repeat(8))
  t.deepEqual(
    await answered(socket, 8),
    Array.from({ length: 8 }, () => '/60000')
  )
})

test('a connection with too many requests that wait is closed, and what it asked for is not begun', async (t) => {
  const begun: (string | undefined)[] = []
  const { pipelines, dial } = await serving(t, (request) => void begun.push(request.url))
  const socket = dial()
  socket.write(asked(0, 52))
  await once(socket.resume(), 'close')
  t.deepEqual(begun, ['/0'])
  t.is(pipelines.waitingCount, 0)
})

test('when too many wait in all, who has most is closed, and who has few is served', async (t) => {
  const begun = new EventEmitter()
  const { dial } = await serving(t, (request, reply) => {
    if (request.url === '/0') begun.emit('first')
    else reply.end(`\n${request.url}`)
  })
  const [first, greedy, modest] = [dial(), dial(), dial()]
  first.write(asked(0, 41))
  await once(begun, 'first')
  greedy.write(asked(0, 41))
  await once(greedy.resume(), 'close')
  modest.write(asked(1, 3))
  t.deepEqual(await answered(modest, 3), ['/1', '/2', '/3'])
  t.false(first.destroyed)
})

const unread = () => {
  const clock = new VirtualClock(1_000_000)
  const closed: string[] = []
  const all = new Unread(clock, { unreadBytesMax: 100_000, unreadMsMax: 5_000 })
  const add = (name: string, bytes: number): EventEmitter => {
    const reply = Object.assign(new EventEmitter(), { destroy: () => void closed.push(name) })
    all.add(reply as unknown as ServerResponse, bytes)
    return reply
  }
  return { clock, closed, all, add }
}

test('no more long answers are begun from half of what may be unread', (t) => {
  const { all, add } = unread()
  const reply = add('a', 60_000)
  t.false(all.hasRoom())
  reply.emit('close')
  t.true(all.hasRoom())
  t.is(all.bytes, 0)
})

test('answers that nobody takes give way to those who ask', (t) => {
  const { clock, closed, all, add } = unread()
  add('a', 60_000)
  clock.advance(5_000)
  t.true(all.hasRoom())
  t.deepEqual(closed, ['a'])
})

test('what is unread never grows beyond its bound: the oldest goes', (t) => {
  const { closed, all, add } = unread()
  for (const name of ['a', 'b', 'c', 'd']) add(name, 40_000)
  t.deepEqual(closed, ['a', 'b'])
  t.is(all.bytes, 80_000)
})
