import test from 'ava'
import { createProbes, type ProbeDeps } from '../../src/http/index.ts'
import { get, jsonOf, post } from './requests.ts'

const elsewhere = "this process has the role 'order'; one with the role 'view' has the rest"

const probes = (deps: Partial<ProbeDeps> = {}) =>
  createProbes({ health: () => [], metrics: () => '', elsewhere, logLevel: 'silent', ...deps })

test('a process without the REST interface says that it lives, and whether it is ready', async (t) => {
  const tasks = { name: 'tasks', ok: false, detail: 'waits for the schema registry' }
  const http = probes({ health: () => [tasks] })
  t.is((await get(http, '/healthz')).statusCode, 200)
  const waiting = await get(http, '/readyz')
  t.is(waiting.statusCode, 503)
  t.deepEqual(jsonOf(waiting) as unknown, { status: 'failing', checks: [tasks] })
  tasks.ok = true
  t.is((await get(http, '/readyz')).statusCode, 200)
})

test('its metrics are those of the process, of its requests and of the other rooms', async (t) => {
  const http = probes({ metrics: () => 'parcomolo_task_rounds_total 3\n' })
  await get(http, '/healthz')
  const { body, headers } = await get(http, '/metrics')
  t.regex(String(headers['content-type']), /^text\/plain/)
  t.regex(body, /^process_cpu_seconds_total /m)
  t.regex(body, /^parcomolo_task_rounds_total 3$/m)
  t.regex(body, /route="\/healthz",status="200"\} 1$/m)
  t.false(body.includes('parcomolo_view_'))
})

test('whoever asks it for anything else is told who has it', async (t) => {
  const http = probes()
  for (const response of [await get(http, '/orders'), await post(http, '/orders', {}), await get(http, '/docs')]) {
    t.is(response.statusCode, 404)
    t.regex(String(response.headers['content-type']), /^application\/problem\+json/)
    t.is(jsonOf(response)['code'] as unknown, 'PARCOMOLO_HTTP_NOT_FOUND')
  }
  t.is(jsonOf(await get(http, '/orders'))['detail'] as unknown, `there is nothing at '/orders'; ${elsewhere}`)
  t.regex(String(jsonOf(await get(http, '/readys'))['detail']), /did you mean '\/readyz'\?$/)
  t.is((await get(http, '/errors/PARCOMOLO_HTTP_NOT_FOUND')).statusCode, 200, "a problem's type leads somewhere")
})
