import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { openView } from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { makeCodec } from '../view/journals.ts'
import { writeJournals } from './journals.ts'
import { orders, shopLayout, stock, viewTopics } from '../helpers/shop-parts.ts'

for (const partitions of [1, 3])
  test(`generated journals with ${partitions} partitions read as those of orders that have ended`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'parcomolo-generated-'))
    const log = await openEmbeddedLog({ dir: join(dir, 'log') })
    const codec = await makeCodec()
    const topics = Object.entries(viewTopics)
    await log.ensureTopics(
      topics.map(([source, topic]) => ({
        topic,
        partitions: source === 'stock' ? 1 : partitions,
        cleanup: 'delete'
      }))
    )
    const count = 120
    const { orderId, isDeclined } = await writeJournals(log, codec, { orders: count, waveOrders: 50 })
    const store = await openSqliteViewStore(':memory:', shopLayout)
    // Nobody moves the clock: an effect without its cause would be held for ever.
    const clock = new VirtualClock(0)
    const view = await openView({ log, codec, store, topics: Object.values(viewTopics), clock })
    await view.caughtUp
    for (let order = 0; order < count; order++) {
      const row = await view.row(orders, orderId(order))
      t.is(row?.status, isDeclined(order) ? 'REJECTED' : 'COMPLETED')
      t.true(row?.saga?.ended)
    }
    const page = await view.list(orders, {}, { limit: 1000 })
    t.is(page.rows.length, count)
    t.is(new Set(page.rows.map(({ customerId }) => customerId)).size, count)
    t.is((await view.row(stock, 'book'))?.reserved, 0)
    await view.close()
    await log.close()
    await rm(dir, { recursive: true })
  })
