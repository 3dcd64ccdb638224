import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Codec, contractSet, readContract, registerContracts } from '../../src/contract/index.ts'
import type { Log, StoredRecord } from '../../src/log/index.ts'
import type { Config } from '../../src/main/config.ts'
import { start } from '../../src/main/start.ts'
import { readAll } from '../log/records.ts'
import { configOf, json, newFolder, sharedStorage, until } from './process-stage.ts'

const billing = `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: billing }
spec:
  inbox: billing-commands
  events: billing-events
  contract: |
    @namespace("acme.billing")
    protocol Billing {
      record Charge { string customerId; string cardToken; long cents; }
      record Charged { string customerId; }
      error CardDeclined { string reason; }
      Charged charge(Charge command) throws CardDeclined;
      record Subscribed { string customerId; string cardToken; }
      void subscribed(Subscribed event) oneway;
    }
`

const subscribe = `apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: subscribe }
spec:
  start: { on: Subscribed, key: event.customerId }
  steps:
    - name: charge
      command: Charge
      compensate: none
      with: { customerId: start.customerId, cardToken: start.cardToken, cents: "500" }
`

const sagasOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await newFolder(t)
  await mkdir(join(folder, 'participants'))
  await writeFile(join(folder, 'participants/billing.yaml'), billing)
  await writeFile(join(folder, 'subscribe.yaml'), subscribe)
  return folder
}

const bareConfig = async (t: ExecutionContext): Promise<Config> =>
  configOf(await newFolder(t), { app: 'none', sagasFolder: await sagasOf(t) })

/** A participant that runs elsewhere: it knows the log and its own contract, and nothing of Parcomolo. */
class Billing {
  readonly #log: Log
  readonly #codec: Codec

  constructor(log: Log, codec: Codec) {
    this.#log = log
    this.#codec = codec
  }

  async subscribe(customerId: string, cardToken: string): Promise<void> {
    await this.#say('Subscribed', customerId, { customerId, cardToken })
  }

  /** The commands in its inbox. */
  commands(): Promise<readonly StoredRecord[]> {
    return readAll(this.#log, { topic: 'billing-commands', partition: 0 })
  }

  async answer({ key, value, headers }: StoredRecord): Promise<void> {
    const { cardToken, customerId } = this.#codec.decode(value!).value as { cardToken: string; customerId: string }
    const causedBy = { ce_causationid: headers['ce_id']! }
    if (cardToken === 'declined') return this.#say('CardDeclined', key, { reason: 'no money' }, causedBy)
    return this.#say('Charged', key, { customerId }, causedBy)
  }

  async #say(type: string, key: string, value: object, headers: Record<string, string> = {}): Promise<void> {
    const bytes = this.#codec.encode(`acme.billing.${type}`, value)
    const record = { topic: 'billing-events', partition: 0, key, value: bytes, timestamp: Date.now(), headers }
    await this.#log.send([record])
  }
}

test('the engine alone runs sagas of participants that run elsewhere, and answers nothing of a shop', async (t) => {
  const config = await bareConfig(t)
  const storage = await sharedStorage(t, config)
  const running = await start(config, { storage })
  const { url } = running
  t.like(await json(`${url}/readyz?view`), { status: 200, body: { status: 'ok' } })
  t.like(await json(`${url}/definitions`), { body: { items: [{ saga: 'subscribe' }] } })
  for (const path of ['/orders', '/orders/x', '/stock', '/stock/book'])
    t.like(await json(`${url}${path}`), { status: 404, body: { code: 'PARCOMOLO_HTTP_NOT_FOUND' } }, path)
  const { body: root } = await json(`${url}/`)
  t.deepEqual(Object.keys(root['links'] as object), [
    '/docs',
    '/openapi.json',
    '/sagas',
    '/definitions',
    '/readyz',
    '/metrics'
  ])
  const { body: openapi } = await json(`${url}/openapi.json`)
  t.deepEqual(
    Object.keys(openapi['paths'] as object).filter((path) => /order|stock/i.test(path)),
    []
  )

  const contract = readContract({ path: 'billing.yaml', text: billing })
  const log = await storage.openLog(config)
  const codec = await registerContracts(await storage.openRegistry(config), contractSet([contract]).all, [])
  const participant = new Billing(log, codec)
  await participant.subscribe('ada', 'visa')
  await participant.subscribe('bob', 'declined')
  const commands = await until(async () => {
    const found = await participant.commands()
    return found.length === 2 ? found : undefined
  })
  for (const command of commands) await participant.answer(command)
  const ended = (key: string) =>
    until(async () => {
      const { body } = await json(`${url}/sagas/subscribe/${key}`)
      return body['endedAt'] === null || body['endedAt'] === undefined ? undefined : body['status']
    })
  t.is(await ended('ada'), 'completed')
  t.is(await ended('bob'), 'compensated')
  await running.stop()
})

test('the topics of the engine alone are its own and those of its participants', async (t) => {
  const config = await bareConfig(t)
  const storage = await sharedStorage(t, config)
  const running = await start(config, { storage })
  const log = await storage.openLog(config)
  for (const topic of ['billing-commands', 'billing-events', 'saga-events', 'saga-definitions'])
    t.is(log.partitionCount(topic), 1, topic)
  for (const topic of ['order-commands', 'order-events', 'stock-events', 'payment-events', 'shipping-events'])
    t.throws(() => log.partitionCount(topic), { code: 'PARCOMOLO_LOG_UNKNOWN_TOPIC' }, topic)
  await running.stop()
})
