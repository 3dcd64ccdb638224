import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import test from 'ava'
import { createProbes } from '../../src/http/index.ts'

test('beyond their number connections are let go, told once a second, and the idle make room', async (t) => {
  const lines: string[] = []
  const http = createProbes({
    ...{ health: () => [], metrics: () => '', elsewhere: '', connectionsMax: 3, logLevel: 'warn' },
    logStream: { write: (line) => void lines.push(line) }
  })
  await http.doors.listen('127.0.0.1', 0, 2)
  t.teardown(() => http.close())
  const { port } = http.server.address() as AddressInfo
  const ask = (agent: Agent): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request({ agent, port, host: '127.0.0.1', path: '/healthz' }, (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
      })
      asked.once('error', reject)
      asked.end()
    })
  const kept = Array.from({ length: 3 }, () => new Agent({ keepAlive: true }))
  for (const agent of kept) t.is(await ask(agent), 200)
  const further = Array.from({ length: 5 }, () => connect(port, '127.0.0.1').resume())
  for (const socket of further) socket.on('error', () => undefined)
  await once(further[0]!, 'close')
  for (const socket of further) socket.destroy()
  t.is(lines.length, 1)
  t.regex(lines[0] ?? '', /ulimit -n/)
  // As soon as it is seen that the idle ones have gone.
  let status = 0
  while (status === 0) status = await ask(new Agent()).catch(() => 0)
  t.is(status, 200)
})
