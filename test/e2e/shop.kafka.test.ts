import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { KafkaShop } from './kafka-shop.ts'
import { atBank, outcome, seeEveryOutcome } from './outcomes.ts'
import { get, getAll, order, type OrderView, post, requestBody, type StockView } from './shop-client.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const brokers = process.env['KAFKA_BROKERS']
const registryUrl = process.env['SCHEMA_REGISTRY_URL']
const lookMs = 100

const shopIn = async (t: ExecutionContext): Promise<KafkaShop> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-kafka-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const place = { brokers: brokers!, registryUrl: registryUrl!, prefix: `test-${randomUUID()}-` }
  const shop = new KafkaShop(place, folder)
  t.teardown(() => shop.end('SIGKILL'))
  return shop
}

const judge = async (t: ExecutionContext, shop: KafkaShop, flow: 'orchestration' | 'choreography'): Promise<void> => {
  const shown = { orders: await getAll<OrderView>(shop, '/orders'), stock: await getAll<StockView>(shop, '/stock') }
  t.is(shop.errors, '')
  await shop.end('SIGTERM')
  const records = await shop.records()
  const schemas = await shop.schemas(records)
  t.is(told(audit({ records, schemas, flow, isQuiet: true, now: Date.now(), shown })), '')
}

/** Four partitions of each journal and inbox, the orchestrator's too, and one of each of the inventory's. */
const partitionsRead = {
  'parcomolo-order': 4,
  'parcomolo-inventory': 1,
  'parcomolo-payment': 4,
  'parcomolo-shipping': 4,
  'parcomolo-orchestrator': 4 * 4 + 1
}

/** Once all is done, tools show that nothing of it is waiting. */
const seeNoLag = async (t: ExecutionContext, shop: KafkaShop): Promise<void> => {
  const isDone = (lags: Awaited<ReturnType<KafkaShop['lag']>>): boolean =>
    Object.entries(partitionsRead).every(([group, partitions]) => lags.get(group)?.partitions === partitions) &&
    [...lags.values()].every(({ records }) => records === 0)
  let lags = await shop.lag()
  while (!isDone(lags)) {
    await wait(lookMs)
    lags = await shop.lag()
  }
  t.deepEqual([...lags.keys()].toSorted(), Object.keys(partitionsRead).toSorted())
}

const isHere = brokers !== undefined && registryUrl !== undefined
if (!isHere) test.skip('the shop on Kafka: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name none', () => undefined)
else testKafka()

function testKafka(): void {
  test.serial('on Kafka the shop in one process does with each order what its saga says', async (t) => {
    t.timeout(120_000)
    const shop = await shopIn(t)
    shop.add('view', 'all')
    await shop.start()
    await seeEveryOutcome(t, shop)
    await seeNoLag(t, shop)
    await judge(t, shop, 'orchestration')
  })

  test.serial('every service is a process of its own, and does the same', async (t) => {
    t.timeout(120_000)
    const shop = await shopIn(t)
    for (const role of [...serviceNames, 'orchestrator', 'operator', 'view']) shop.add(role, role)
    await shop.start()
    await seeEveryOutcome(t, shop)
    await judge(t, shop, 'orchestration')
  })

  test.serial('the same orders run as choreography on Kafka', async (t) => {
    t.timeout(120_000)
    const shop = await shopIn(t)
    shop.add('view', 'order,view', { FLOW: 'choreography' })
    shop.add('services', 'inventory,payment,shipping', { FLOW: 'choreography' })
    await shop.start()
    t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
    t.is((await order(shop, requestBody('tok_declined'))).status, 'REJECTED')
    const orderId = await atBank(shop)
    t.is((await post(shop, '/cancelOrder', JSON.stringify({ orderId }))).status, 200)
    const cancelled = await get<OrderView>(shop, `/orders/${orderId}?wait=30s`)
    t.is(outcome(cancelled), 'CANCELLED RELEASED REFUNDED PENDING -')
    const other = shop.add('other', 'shipping', { FLOW: 'orchestration' })
    await t.throwsAsync(other.start(), { message: /PARCOMOLO_MAIN_FLOW_MIXED: FLOW is 'orchestration', but/ })
    shop.processes.delete('other')
    await judge(t, shop, 'choreography')
  })
}
