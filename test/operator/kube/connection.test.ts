import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { connect, type Connection, KubeApi, loadKubeConfig, namespaceOf } from '../../../src/operator/kube/index.ts'
import { VirtualClock } from '../../helpers/virtual-clock.ts'

type Handle = (request: IncomingMessage, response: ServerResponse) => void

const kind = { group: 'parcomolo.io', version: 'v1alpha1', kind: 'Saga', plural: 'sagas' }

const folderOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-connection-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A server that answers as it is told, and a connection to it. */
const setUp = async (t: ExecutionContext, handle: Handle) => {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kubeconfig = join(await folderOf(t), 'kubeconfig')
  const config = {
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }]
  }
  await writeFile(kubeconfig, JSON.stringify({ ...config, 'current-context': 'x' }))
  const clock = new VirtualClock(0)
  const loaded = loadKubeConfig(kubeconfig)
  const connection: Connection = connect(loaded, clock)
  t.teardown(() => connection.close())
  return { clock, server, connection, api: new KubeApi(connection, namespaceOf(loaded)) }
}

test('a status is applied to the object that was seen, by the field manager of the operator', async (t) => {
  const seen: string[] = []
  const { api } = await setUp(t, (request, response) => {
    const { method, url, headers } = request
    seen.push(`${method} ${url}`, `${headers['content-type']}`, `${headers.authorization}`)
    void text(request).then((body) => {
      seen.push(body)
      response.end('{"metadata":{"name":"order"}}')
    })
  })
  const object = { metadata: { name: 'order', uid: 'u1', resourceVersion: '7' } }
  t.deepEqual(await api.patchStatus(kind, object, { stepCount: 3 }), { metadata: { name: 'order' } } as never)
  t.deepEqual(seen, [
    'PATCH /apis/parcomolo.io/v1alpha1/namespaces/shop/sagas/order/status?fieldManager=parcomolo-operator&force=true',
    'application/apply-patch+yaml',
    'Bearer secret',
    '{"apiVersion":"parcomolo.io/v1alpha1","kind":"Saga","metadata":{"name":"order","uid":"u1"},"status":{"stepCount":3}}'
  ])
})

test('a refusal is told with its status and the words of the server; what may pass can be tried again', async (t) => {
  let status = 0
  const { api } = await setUp(t, (_, response) => {
    response.statusCode = status
    response.end(JSON.stringify({ kind: 'Status', reason: 'Why', message: 'sagas is forbidden.' }))
  })
  const list = () => api.list(kind, { limit: 1, signal: new AbortController().signal })
  for (status of [400, 403, 404, 409, 422]) {
    const error = await t.throwsAsync(list, { code: 'PARCOMOLO_OPERATOR_API_REFUSED' })
    t.is(
      error?.message,
      `the API server refuses GET '/apis/parcomolo.io/v1alpha1/namespaces/shop/sagas' with ${status}: sagas is forbidden`
    )
    t.like(error, { retryable: false, details: { status, reason: 'Why' } })
  }
  for (status of [429, 500, 503])
    t.like(await t.throwsAsync(list), { code: 'PARCOMOLO_OPERATOR_API_UNAVAILABLE', retryable: true })
})

test('a page that is not the last one says where to go on', async (t) => {
  const { api } = await setUp(t, (request, response) => {
    const metadata = request.url!.includes('continue=')
      ? { resourceVersion: '9', continue: '' }
      : { resourceVersion: '9', continue: 'more' }
    response.end(JSON.stringify({ items: [], metadata }))
  })
  const { signal } = new AbortController()
  t.is((await api.list(kind, { limit: 500, signal })).next, 'more')
  t.is((await api.list(kind, { limit: 500, next: 'more', signal })).next, undefined)
})

test('an answer that takes ten seconds is given up, and the next request takes another connection', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const ports: (number | undefined)[] = []
  const { clock, connection } = await setUp(t, (request, response) => {
    ports.push(request.socket.remotePort)
    if (ports.length > 1) response.end('{}')
    else arrived.resolve()
  })
  const slow = connection.json({ method: 'GET', path: '/slow' })
  await arrived.promise
  clock.advance(10_000)
  await t.throwsAsync(slow, {
    code: 'PARCOMOLO_OPERATOR_API_UNAVAILABLE',
    message: /^the API server gives no answer to GET '\/slow': it has taken longer than 10000 ms;/
  })
  for (let i = 0; i < 10; i++) await connection.json({ method: 'GET', path: '/next' })
  t.false(ports.slice(1).includes(ports[0]))
  t.true(new Set(ports).size <= 3, ports.join(' '))
})

test('a server that is not there is told with its reason', async (t) => {
  const { connection, server } = await setUp(t, () => undefined)
  server.close()
  await once(server, 'close')
  await t.throwsAsync(connection.json({ method: 'GET', path: '/version' }), {
    code: 'PARCOMOLO_OPERATOR_API_UNAVAILABLE',
    message: /^the API server gives no answer to GET '\/version': connect ECONNREFUSED /
  })
})

test('a watch goes on for as long as it is wanted, and ends when it is not', async (t) => {
  const closed = Promise.withResolvers<void>()
  const { clock, api } = await setUp(t, (request, response) => {
    t.regex(request.url!, /watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300$/)
    response.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}\n')
    request.on('close', () => closed.resolve())
  })
  const end = new AbortController()
  const frames = await api.watch(kind, { resourceVersion: '7', timeoutSeconds: 300, signal: end.signal })
  const reading = frames[Symbol.asyncIterator]()
  t.like((await reading.next()).value, { type: 'BOOKMARK' })
  clock.advance(60_000)
  const next = reading.next()
  end.abort()
  await t.throwsAsync(next, { code: 'PARCOMOLO_OPERATOR_API_UNAVAILABLE' })
  await closed.promise
})

test('a kubeconfig that leads nowhere is told with its name', async (t) => {
  const folder = await folderOf(t)
  const expected = { code: 'PARCOMOLO_OPERATOR_CONFIG' }
  t.throws(() => loadKubeConfig(join(folder, 'none')), { ...expected, message: /none' is unusable: ENOENT/ })
  await writeFile(join(folder, 'empty'), '{}')
  t.throws(() => loadKubeConfig(join(folder, 'empty')), { ...expected, message: /empty' is unusable: / })
})
