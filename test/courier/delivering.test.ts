import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { newFolder } from '../main/process-stage.ts'
import { type Asked, type Reply, serve } from './service.ts'
import { billingAt, reserving, stageOf, subscribe, until } from './stage.ts'

const quick = 'timeout: 5s\n      retry: { attempts: 3, backoff: 50ms }'

test('a reply of 200 answers the command, which the service gets as a CloudEvent', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 7, more: 1 } }))
  const stage = await stageOf(t, billingAt(service.url), subscribe(quick))
  await stage.subscribe('ada')
  const saga = await stage.ended('ada')
  t.like(saga, { status: 'completed' })
  t.is(service.asked.length, 1)
  const [asked] = service.asked
  t.like(asked, { id: 'subscribe/charge/ada', type: 'Charge', subject: 'ada', attempt: '1' })
  t.deepEqual(asked!.body, { customerId: 'ada', card: 'tok', cents: 500, note: 'aGk=', hint: null })
  t.is(asked!.headers['ce-correlationid'], 'subscribe/ada')
})

test('422 with the name of an error is a rejection, and an undo is delivered like any command', async (t) => {
  const service = await serve(t, ({ type, body }) => {
    const { customerId } = body
    if (type === 'Reserve') return { status: 422, type: 'SoldOut', body: { what: 'room' } }
    return { body: type === 'Charge' ? { customerId, receipt: 1 } : { customerId } }
  })
  const stage = await stageOf(t, billingAt(service.url), subscribe(quick, reserving))
  await stage.subscribe('bob')
  const saga = await stage.ended('bob', 'compensated')
  t.deepEqual(
    service.asked.map(({ type }) => type),
    ['Charge', 'Reserve', 'Refund']
  )
  t.is(service.asked[2]!.id, 'subscribe/charge!undo/bob')
  t.true(JSON.stringify(saga).includes('SoldOut'))
})

test('202 leaves the answer to an event, which may come late and twice', async (t) => {
  const service = await serve(t, () => ({ status: 202 }))
  const stage = await stageOf(t, billingAt(service.url), subscribe(quick))
  await stage.subscribe('cleo')
  await until(() => service.asked.length > 0)
  const answer = { customerId: 'cleo', receipt: 3 }
  const headers = { 'ce-causationid': 'subscribe/charge/cleo', 'ce-subject': 'cleo' }
  t.like(await stage.post('Charged', answer, { ...headers, 'ce-id': 'first' }), { status: 202 })
  t.like(await stage.post('Charged', answer, { ...headers, 'ce-id': 'first' }), { status: 202 })
  t.like(await stage.post('Charged', { ...answer, receipt: 4 }, { ...headers, 'ce-id': 'second' }), { status: 202 })
  await stage.ended('cleo')
  await stage.subscribe('last')
  await stage.post(
    'Charged',
    { customerId: 'last', receipt: 1 },
    { ...headers, 'ce-causationid': 'subscribe/charge/last', 'ce-subject': 'last' }
  )
  await stage.ended('last')
  const { body } = await stage.journal()
  t.deepEqual(
    body.filter(({ type }) => type === 'Charged').map(({ value }) => value['receipt']),
    [3, 1]
  )
})

for (const [what, [reply, told]] of Object.entries<[Reply, string]>({
  'status 500': [{ status: 500 }, 'status 500'],
  'a broken connection': [{ broken: true }, 'unreachable'],
  'a redirect': [{ status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'status 307: no redirect is followed'],
  'a body that is no JSON': [{ text: 'thank you' }, 'wrong-answer'],
  'a body that is not the reply': [{ body: { customerId: 5 } }, 'wrong-answer'],
  'a name that is no reply': [{ type: 'Refunded', body: { customerId: 'x' } }, 'wrong-answer'],
  'an unknown error': [{ status: 422, body: { detail: [] } }, 'wrong-answer'],
  'more than the largest answer': [{ text: `"${'x'.repeat(1_100_000)}"` }, 'too-large']
}))
  test(`${what} is no answer: the same command is sent again until it is right`, async (t) => {
    const service = await serve(t, ({ body }, count) =>
      count < 3 ? reply : { body: { customerId: body['customerId'], receipt: 1 } }
    )
    const stage = await stageOf(t, billingAt(service.url), subscribe('timeout: 20s'))
    await stage.subscribe('dora')
    await stage.ended('dora')
    t.deepEqual(new Set(service.asked.map(({ id }) => id)), new Set(['subscribe/charge/dora']))
    t.is(service.asked.length, 3)
    const { body } = await stage.journal()
    t.is(body.filter(({ type }) => type === 'CallFailed').length, 2)
    const { timeline } = (await stage.saga('dora')) as { timeline: { type: string }[] }
    t.like(
      timeline.filter(({ type }) => type === 'CallFailed'),
      [1, 2].map((attempt) => ({ step: 'charge', attempt, detail: told, topic: 'http-calls' }))
    )
    const metrics = await (await fetch(`${stage.running.url}/metrics`)).text()
    const calls = 'parcomolo_courier_calls_total{participant="billing",outcome='
    t.true(metrics.includes(`${calls}"${told.split(' ')[0]}"} 2\n`), metrics)
    t.true(metrics.includes(`${calls}"answered"} 1\n`))
  })

test('a call that takes longer than its time is made again', async (t) => {
  const slow = Promise.withResolvers<Reply>()
  const service = await serve(t, ({ body }, count) =>
    count === 1 ? slow.promise : { body: { customerId: body['customerId'], receipt: 1 } }
  )
  const stage = await stageOf(t, billingAt(service.url, ', timeout: 1s'), subscribe('timeout: 20s'))
  await stage.subscribe('eve')
  await stage.ended('eve')
  t.is(service.asked.length, 2)
  slow.resolve({})
})

test('Retry-After is waited for', async (t) => {
  const times: number[] = []
  const service = await serve(t, ({ body }, count) => {
    times.push(Date.now())
    if (count === 1) return { status: 503, headers: { 'retry-after': '1' } }
    return { body: { customerId: body['customerId'], receipt: 1 } }
  })
  const stage = await stageOf(t, billingAt(service.url), subscribe('timeout: 20s'))
  await stage.subscribe('finn')
  await stage.ended('finn')
  t.true(times[1]! - times[0]! >= 990)
})

test('a service that is away is called when it is there, however often the saga asks', async (t) => {
  const gone = await serve(t, () => ({}))
  const port = Number(new URL(gone.url).port)
  await gone.close()
  const stage = await stageOf(
    t,
    billingAt(gone.url),
    subscribe('timeout: 300ms\n      retry: { attempts: 100, backoff: 10ms }')
  )
  await stage.subscribe('gil')
  await until(async () => (await stage.journal()).body.filter(({ type }) => type === 'CallFailed').length >= 2)
  const back = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }), port)
  await stage.ended('gil')
  t.is(back.asked.length, 1)
})

test('an unanswered command is in the end unknown, and its undo ends its repeats', async (t) => {
  const service = await serve(t, ({ type, body }) =>
    type === 'Charge' ? { status: 500 } : { body: { customerId: body['customerId'] } }
  )
  const attempts = 'timeout: 400ms\n      retry: { attempts: 2, backoff: 10ms }\n      onUnknown: compensate'
  const stage = await stageOf(t, billingAt(service.url), subscribe(attempts))
  await stage.subscribe('hal')
  await stage.ended('hal', 'compensated')
  t.is(service.asked.at(-1)!.type, 'Refund')
  const { body } = await stage.journal()
  t.like(body.find(({ type }) => type === 'DeliveryStopped')!.value, { reason: 'undone' })
})

test('a call under way when the process stops is made again by the next, with the same id', async (t) => {
  const service = await serve(t, ({ body }, count) =>
    count === 1 ? new Promise<never>(() => undefined) : { body: { customerId: body['customerId'], receipt: 1 } }
  )
  const stage = await stageOf(t, billingAt(service.url, ', timeout: 10m'), subscribe('timeout: 10m'))
  await stage.subscribe('ida')
  await until(() => service.asked.length > 0)
  await stage.restart()
  await stage.ended('ida')
  t.deepEqual(
    service.asked.map(({ id }) => id),
    ['subscribe/charge/ida', 'subscribe/charge/ida']
  )
})

test('so many calls at a time as the contract says, and what waits stays unread in the inbox', async (t) => {
  const open = Promise.withResolvers<void>()
  const service = await serve(t, async ({ body }) => {
    await open.promise
    return { body: { customerId: body['customerId'], receipt: 1 } }
  })
  const stage = await stageOf(t, billingAt(service.url, ', concurrency: 4, timeout: 10m'), subscribe('timeout: 10m'))
  const names = Array.from({ length: 1_000 }, (_, at) => `many-${at}`)
  await Promise.all(names.map((name) => stage.subscribe(name)))
  await until(() => service.asked.length >= 4)
  await until(async () => (await stage.sagas()) >= 500)
  t.is(service.most(), 4)
  await stage.restart()
  const taken = (await stage.journal()).body.filter(({ type }) => type === 'DeliveryBegun').length
  t.true(taken <= 16, `${taken} were taken up`)
  open.resolve()
  for (const name of names) await stage.ended(name)
  t.true(service.most() <= 8)
  const calls = new Set(service.asked.map(({ id }) => id))
  t.is(calls.size, 1_000)
  t.true(service.asked.length <= 1_016)
})

test('no more calls a second than the contract says', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }))
  const stage = await stageOf(t, billingAt(service.url, ', perSecond: 10'), subscribe('timeout: 1m'))
  const from = Date.now()
  await Promise.all(Array.from({ length: 11 }, (_, at) => stage.subscribe(`paced-${at}`)))
  for (let at = 0; at < 11; at++) await stage.ended(`paced-${at}`)
  t.true(Date.now() - from >= 980)
})

test('private addresses are refused where they are to be, however they are written', async (t) => {
  const service = await serve(t, () => ({}))
  const { port } = new URL(service.url)
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1']) {
    const contract = billingAt(`http://${host}:${port}/commands`)
    const stage = await stageOf(t, contract, subscribe('timeout: 1m'), { courierPrivate: false })
    await stage.subscribe('kim')
    await until(async () => (await stage.journal()).body.some(({ value }) => value['reason'] === 'address-refused'))
    await stage.running.stop()
  }
  t.is(service.asked.length, 0)
})

test('a header has its value from a variable or a secret, and is sent in no log', async (t) => {
  process.env['COURIER_TEST_TOKEN'] = 'from the environment'
  t.teardown(() => delete process.env['COURIER_TEST_TOKEN'])
  const secrets = await newFolder(t)
  await writeFile(join(secrets, 'billing-key'), 'from a secret\n')
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }))
  const headers = ', headers: [{ name: Authorization, env: COURIER_TEST_TOKEN }, { name: X-Key, secret: billing-key }]'
  const stage = await stageOf(t, billingAt(service.url, headers), subscribe(quick), { courierSecrets: secrets })
  await stage.subscribe('lea')
  await stage.ended('lea')
  t.like(service.asked[0]!.headers, { authorization: 'from the environment', 'x-key': 'from a secret' })
})

test('a participant that comes, moves and goes while the process runs is followed', async (t) => {
  const answer = ({ body }: Asked): Reply => ({ body: { customerId: body['customerId'], receipt: 1 } })
  const [first, second] = [await serve(t, answer), await serve(t, answer)]
  const stage = await stageOf(t, billingAt(first.url), subscribe(quick))
  await stage.subscribe('mia')
  await stage.ended('mia')
  await writeFile(join(stage.folder, 'participants/billing.yaml'), billingAt(second.url))
  let count = 0
  await until(async () => {
    const name = `moved-${count++}`
    await stage.subscribe(name)
    await stage.ended(name)
    return second.asked.length > 0
  })
  t.true(first.asked.length > 0)
})

test('whoever writes to the events topic beside the courier stops that participant alone', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }))
  const stage = await stageOf(t, billingAt(service.url), subscribe('timeout: 1m'))
  await stage.subscribe('nia')
  await stage.ended('nia')
  await stage.intrude()
  await stage.subscribe('oli')
  const first = await Promise.race([stage.running.failed, new Promise((resolve) => void setTimeout(resolve, 2_000))])
  t.is(first, undefined)
  t.is((await fetch(`${stage.running.url}/readyz`)).status, 200)
})

test('an answer to a command that there is not is told as one that nobody hears', async (t) => {
  const stage = await stageOf(t, billingAt('http://127.0.0.1:1/'), subscribe('timeout: 1m'))
  const headers = { 'ce-causationid': 'subscribe/charge/nobody', 'ce-subject': 'nobody' }
  t.is((await stage.post('Charged', { customerId: 'nobody', receipt: 1 }, headers)).status, 202)
  const passedOver = /answers_passed_over_total\{[^}]*topic="billing-events"[^}]*\} 1/
  await until(async () => passedOver.test(await (await fetch(`${stage.running.url}/metrics`)).text()))
  t.pass()
})

test('a participant that spoke Kafka may go over to HTTP while the process runs', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }))
  const foreign = billingAt(service.url).replace(/ {2}http: .*\n/, '')
  const stage = await stageOf(t, foreign, subscribe('timeout: 1m'))
  await writeFile(join(stage.folder, 'participants/billing.yaml'), billingAt(service.url))
  const event = { customerId: 'pia', card: 'tok', note: '' }
  await until(async () => (await stage.post('Subscribed', event, { 'ce-id': 'pia' })).status === 202)
  await stage.ended('pia')
  t.is(service.asked.length, 1)
})
