import test, { type ExecutionContext } from 'ava'
import { Catalogue } from '../../../src/shop/intake/catalogue.ts'
import type { Log } from '../../../src/log/index.ts'
import { inventoryPrices } from '../../../src/shop/inventory/index.ts'
import type { TaskLimits } from '../../../src/task/index.ts'
import { type RunningShop, startShop } from '../../helpers/running-shop.ts'
import { orderBody, post, put } from '../../http/requests.ts'

const shopOf = async (t: ExecutionContext, taskLimits: Partial<TaskLimits> = {}): Promise<RunningShop> => {
  const shop = await startShop('orchestration', {}, taskLimits)
  t.teardown(() => shop.stop())
  return shop
}

/** The same log, whose readers tell where they begin and wait until they are let go on. */
const watched = (log: Log, goOn: Promise<void> = Promise.resolve()) => {
  const starts: number[] = []
  const reader: Log['reader'] = (places, isolation) => {
    starts.push(...places.map(({ offset }) => offset))
    const inner = log.reader(places, isolation)
    return { take: (max) => inner.take(max), ready: () => goOn.then(() => inner.ready()), close: () => inner.close() }
  }
  const seen = new Proxy(log, {
    get: (target, name) => {
      const member: unknown = name === 'reader' ? reader : Reflect.get(target, name)
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member
    }
  })
  return { starts, log: seen }
}

const following = (t: ExecutionContext, { codec }: RunningShop, log: Log): Catalogue => {
  const catalogue = new Catalogue({ log, codec, source: inventoryPrices, learn: () => undefined })
  const followed = catalogue.follow()
  t.teardown(async () => {
    catalogue.close()
    await followed
  })
  return catalogue
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const set = (shop: RunningShop, sku: string, priceCents: number) =>
  put(shop.http, `/stock/${sku}`, { name: sku, priceCents, onHand: 10 })

test('without a snapshot the journal is read from its start, and nothing is called unknown before', async (t) => {
  const shop = await shopOf(t)
  await set(shop, 'pen', 150)
  await set(shop, 'pen', 175)
  const reading = Promise.withResolvers<void>()
  const { log, starts } = watched(shop.log, reading.promise)
  const catalogue = following(t, shop, log)
  while (starts.length === 0) await turn()
  t.deepEqual(starts, [0])
  t.false(catalogue.isComplete)
  reading.resolve()
  await catalogue.complete
  t.true(catalogue.isComplete)
  t.is(catalogue.price('pen'), 175)
  t.is(catalogue.price('pencil'), undefined)
  t.deepEqual(catalogue.skus().toSorted(), ['book', 'lamp', 'last-one', 'pen', 'unicorn'])
})

test('with a snapshot only what came after it is read', async (t) => {
  const shop = await shopOf(t, { inputsPerSnapshot: 20 })
  await set(shop, 'pen', 150)
  const inventory = [...shop.system.runners.get('inventory')!.tasks.values()][0]!
  while (inventory.stats.snapshots === 0) await post(shop.http, '/orders', orderBody())
  await set(shop, 'pen', 999)
  const place = { topic: 'stock-events', partition: 0 }
  const { log, starts } = watched(shop.log)
  const catalogue = following(t, shop, log)
  await catalogue.complete
  t.true(starts[0]! > 5 && starts[0]! < (await shop.log.end(place)), `it begins at ${starts[0]}`)
  t.is(catalogue.price('pen'), 999)
  t.is(catalogue.price('lamp'), 4500)
})

test('a price that is set is known from then on', async (t) => {
  const shop = await shopOf(t)
  const catalogue = following(t, shop, shop.log)
  await catalogue.complete
  t.is(catalogue.price('pen'), undefined)
  await set(shop, 'pen', 150)
  while (catalogue.price('pen') !== 150) await turn()
  await set(shop, 'pen', 175)
  while (catalogue.price('pen') !== 175) await turn()
  t.pass()
})
