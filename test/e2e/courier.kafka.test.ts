import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type Reply, serve } from '../courier/service.ts'
import { billingAt, reserving, subscribe } from '../courier/stage.ts'
import { endOf } from '../examples/guide.ts'
import { KafkaShop } from './kafka-shop.ts'

const brokers = process.env['KAFKA_BROKERS']
const registryUrl = process.env['SCHEMA_REGISTRY_URL']

if (brokers === undefined || registryUrl === undefined)
  test.skip('the courier on Kafka: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name none', () => undefined)
else
  test('two couriers on Kafka share the commands, and one takes over what the other was calling', async (t) => {
    t.timeout(120_000)
    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-courier-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const held: ((reply: Reply) => void)[] = []
    let isHolding = false
    const service = await serve(t, ({ type, body }) => {
      const { customerId } = body
      if (isHolding) return new Promise<Reply>((resolve) => held.push(resolve))
      if (type === 'Reserve' && String(customerId).startsWith('no'))
        return { status: 422, type: 'SoldOut', body: { what: 'room' } }
      return { body: type === 'Charge' ? { customerId, receipt: 1 } : { customerId } }
    })
    const sagas = join(folder, 'sagas')
    await mkdir(join(sagas, 'participants'), { recursive: true })
    await writeFile(join(sagas, 'participants/billing.yaml'), billingAt(service.url, ', timeout: 10m'))
    await writeFile(join(sagas, 'subscribe.yaml'), subscribe('timeout: 10m', reserving))
    const engine = new KafkaShop({ brokers, registryUrl, prefix: `test-${randomUUID()}-` }, folder)
    t.teardown(() => engine.end('SIGKILL'))
    for (const role of ['orchestrator', 'operator', 'view'])
      engine.add(role, role, { PARCOMOLO_APP: 'none', PARCOMOLO_SAGAS: sagas })
    for (const name of ['courier', 'courier-2'])
      engine.add(name, 'courier', { PARCOMOLO_APP: 'none', PARCOMOLO_SAGAS: sagas })
    await engine.startAll()
    const ask = async (customerId: string): Promise<void> => {
      const headers = { 'content-type': 'application/json', 'ce-id': customerId, 'ce-type': 'Subscribed' }
      const body = JSON.stringify({ customerId, card: 'tok', note: '' })
      const url = `${engine.url}/participants/billing/events`
      t.is((await fetch(url, { method: 'POST', headers, body })).status, 202)
    }
    const isInForce = async (): Promise<boolean> =>
      JSON.stringify(await (await fetch(`${engine.url}/definitions`)).json()).includes('subscribe')
    while (!(await isInForce())) await new Promise((resolve) => void setTimeout(resolve, 20))
    const names = Array.from({ length: 20 }, (_, at) => (at % 4 === 3 ? `no-${at}` : `yes-${at}`))
    await Promise.all(names.map(ask))
    for (const name of names)
      await endOf(engine.url, 'subscribe', name, name.startsWith('no') ? 'compensated' : 'completed')

    isHolding = true
    const later = Array.from({ length: 8 }, (_, at) => `later-${at}`)
    await Promise.all(later.map(ask))
    const called = (): Set<string> =>
      new Set(service.asked.filter(({ subject }) => subject.startsWith('later')).map(({ id }) => id))
    while (called().size < later.length) await new Promise((resolve) => void setTimeout(resolve, 20))
    await engine.process('courier').end('SIGKILL')
    isHolding = false
    for (const answer of held) answer({ status: 500 })
    for (const name of later) await endOf(engine.url, 'subscribe', name, 'completed')
    t.is(engine.errors, '')
  })
