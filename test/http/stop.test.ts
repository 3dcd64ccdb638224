import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import type { FastifyInstance } from 'fastify'
import { createProbes } from '../../src/http/index.ts'

const opened = async (lingerMs: number): Promise<{ readonly http: FastifyInstance; readonly port: number }> => {
  const http = createProbes({ health: () => [], metrics: () => '', elsewhere: '', logLevel: 'silent', lingerMs })
  await http.doors.listen('127.0.0.1', 0, 4)
  return { http, port: (http.server.address() as AddressInfo).port }
}

type Told = { readonly status: number; readonly isLast: boolean }

/** By the connection that is there, if there is one. */
const ask = (agent: Agent, port: number): Promise<Told> =>
  new Promise((resolve, reject) => {
    const asked = request({ agent, port, host: '127.0.0.1', path: '/healthz' }, (response) => {
      response.resume()
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, isLast: response.headers.connection === 'close' })
      })
    })
    asked.once('error', reject)
    asked.end()
  })

test('over a stop no connection that is kept alive is reset, busy or not', async (t) => {
  const [stopping, staying] = [await opened(200), await opened(0)]
  const asked = { count: 0, last: 0, statuses: new Set<number>(), errors: [] as string[] }
  /** Goes to the other server when it is told that this one was its last answer here, or nobody is here any more. */
  const client = async (pauseMs: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    let { port } = stopping
    while (asked.count < 20_000) {
      try {
        const { status, isLast } = await ask(agent, port)
        asked.count++
        asked.statuses.add(status)
        if (isLast && port === stopping.port) [port, asked.last] = [staying.port, asked.last + 1]
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (code !== 'ECONNREFUSED') asked.errors.push(code)
        port = staying.port
      }
      if (pauseMs > 0) await wait(pauseMs)
    }
    agent.destroy()
  }
  const clients = Array.from({ length: 80 }, (_, i) => client(i % 4 === 0 ? i : 0))
  while (asked.count < 8_000) await wait(1)
  await stopping.http.close()
  await Promise.all(clients)
  await staying.http.close()
  t.deepEqual(asked.errors, [])
  t.deepEqual([...asked.statuses], [200])
  t.is(asked.last, 80, 'each was told in an answer')
})
