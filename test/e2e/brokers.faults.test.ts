import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { Crowd, rest } from './crowd.ts'
import { demandsOf } from './demands.ts'
import { BrokerControl, faults } from './faults.ts'
import { KafkaShop } from './kafka-shop.ts'
import { getAll, type OrderView, type StockView } from './shop-client.ts'
import { longestStalls, stallsTold } from './stalls.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

/** Three brokers and a registry of their own, which these tests kill: nothing else may depend on them. */
const brokers = process.env['KAFKA_FAULT_BROKERS']
const registryUrl = process.env['KAFKA_FAULT_REGISTRY_URL']
const control = process.env['KAFKA_FAULT_CONTROL']
/** A regular expression for the names of faults, to run only those. */
const only = new RegExp(process.env['FAULT'] ?? '')

const clients = 8
/** Load before each fault, and after it until all is as it was. */
const calmMs = 2_000

const shopOf = async (t: ExecutionContext, prefix: string): Promise<KafkaShop> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-faults-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const shop = new KafkaShop({ brokers: brokers!, registryUrl: registryUrl!, prefix }, folder)
  t.teardown(() => shop.end('SIGKILL'))
  const add = (name: string, roles: string) => shop.add(name, roles, { LOG_LEVEL: 'warn' })
  for (const role of [...serviceNames, 'orchestrator']) add(role, role)
  add('view', 'view,operator')
  // Shares the partitions of all of them, and takes over what one leaves.
  add('second', [...serviceNames, 'orchestrator'].join(','))
  await shop.start()
  return shop
}

/** The longest time in which no order has ended, from the fault on; in ms. */
const longestGap = (endedAt: readonly number[], from: number): number => {
  const times = [from, ...endedAt.filter((at) => at > from)]
  return Math.max(...times.slice(1).map((at, i) => at - times[i]!))
}

/** When a fault began, and when orders had ended again; ms since 1970. */
type Endured = { readonly name: string; readonly from: number; readonly to: number }

/** Does it, waits until orders end again, and gives how long none did, and when it began. */
const endure = async (crowd: Crowd, work: () => Promise<void>): Promise<{ gapMs: number; from: number }> => {
  await wait(calmMs)
  const [from, began] = [performance.now(), Date.now()]
  await work()
  const after = crowd.endedAt.length
  while (crowd.endedAt.length < after + clients) await wait(20)
  return { gapMs: longestGap(crowd.endedAt, from), from: began }
}

const isHere = brokers !== undefined && registryUrl !== undefined && control !== undefined
if (!isHere) test.skip('faults: KAFKA_FAULT_BROKERS, _REGISTRY_URL and _CONTROL name no cluster', () => undefined)
else {
  test('nothing is lost and nothing done twice, whatever fails under load', async (t) => {
    t.timeout(900_000)
    const prefix = `faults-${randomUUID()}-`
    const shop = await shopOf(t, prefix)
    const cluster = new BrokerControl(control, brokers.split(','))
    const crowd = new Crowd(shop, { clients, waitsForEnds: true })
    t.teardown(() => crowd.abandon())
    const endured: Endured[] = []
    for (const fault of faults(prefix).filter(({ name }) => only.test(name))) {
      const { gapMs, from } = await endure(crowd, () => fault.run(shop, cluster))
      t.log(`${fault.name}: no order ended for ${(gapMs / 1000).toFixed(1)} s`)
      endured.push({ name: fault.name, from, to: Date.now() })
    }
    await crowd.stop()
    await rest(shop)

    const shown = { orders: await getAll<OrderView>(shop, '/orders'), stock: await getAll<StockView>(shop, '/stock') }
    await shop.end('SIGTERM')
    const { orders, cancellations, retried } = crowd
    t.is(shown.orders.length, orders.size, 'as many orders as were asked for, each once')
    const acknowledged = { orders: [...orders.values()], cancellations, skus: ['book', 'lamp', 'unicorn', 'last-one'] }
    const records = await shop.records()
    const schemas = await shop.schemas(records)
    const flow = 'orchestration'
    t.is(told(audit({ records, schemas, flow, isQuiet: true, now: Date.now(), acknowledged, shown })), '')
    const { demands, batches } = demandsOf(records, schemas)
    for (const { name, from, to } of endured) t.log(`${name}: ${stallsTold(longestStalls(demands, batches, from, to))}`)
    t.log(`${orders.size} orders, ${cancellations.length} cancelled, ${retried} requests repeated`)
  })
}
