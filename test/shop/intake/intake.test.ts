import test from 'ava'
import { Intake } from '../../../src/shop/intake/index.ts'
import { commandSender } from '../../../src/main/commands.ts'
import { viewTopics } from '../../helpers/shop-parts.ts'
import { inventoryPrices } from '../../../src/shop/inventory/index.ts'
import { startShop } from '../../helpers/running-shop.ts'
import { VirtualClock } from '../../helpers/virtual-clock.ts'

test('who waits is told within a moment after the view stands still, though no other request comes', async (t) => {
  const shop = await startShop('orchestration')
  t.teardown(() => shop.stop())
  const { log, codec } = shop
  const clock = new VirtualClock(0)
  const { positions } = shop.view.health()
  let [isNeeded, looks] = [false, 0]
  const intake = new Intake({
    ...{ log, codec, clock, prices: inventoryPrices },
    topics: [viewTopics.order, viewTopics.stock],
    followedTo: (place) => positions[place],
    isNeeded: () => {
      looks++
      return isNeeded
    },
    onError: (error) => t.fail(String(error))
  })
  t.teardown(() => intake.close())
  const waiter = intake.whenAnswered('c1', 10_000)
  const value = { sku: 'pen', name: 'Pen', priceCents: 1, onHand: 1 }
  const command = { inbox: 'inventory-commands', key: 'pen', id: 'c1', type: 'parcomolo.inventory.SetStock', value }
  await commandSender(log, codec, clock)(command)
  clock.advance(1_000)
  clock.advance(1_000)
  isNeeded = true
  clock.advance(1_000)
  t.like(await waiter.done, { type: 'StockSet', causationId: 'c1' })
  clock.advance(10_000)
  t.is(looks, 3, 'nobody waits any more')
})
