import type { ExecutionContext } from 'ava'
import { seededRandom } from '../../src/base/random.ts'
import { orders, stock, viewTopics } from '../helpers/shop-parts.ts'
import type { StockRow } from '../../src/shop/inventory/index.ts'
import { type SagaRow, timelineEntries, type View } from '../../src/view/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import type { Journals, Told } from './journals.ts'
import { placedValue } from './records.ts'
import {
  caughtUp,
  type Declare,
  type Replica,
  type Shared,
  type SharedStore,
  sharedUser,
  asRead,
  type WithShared
} from './replica-set.ts'
import { sagaRowKey, sagas } from '../../src/view/sagas.ts'
import { whenEnded, whenPlaced } from '../../src/shop/order/index.ts'

/** What several views on one store must do, whichever of them lives how long. */
export const testReplicas = (test: Declare, openShared: () => Promise<SharedStore>, seeds: readonly string[]): void => {
  const withShared = sharedUser(openShared)
  testShowing(test, withShared)
  testAhead(test, withShared)
  testWriting(test, withShared)
  testTurns(test, withShared)
  testBacklog(test, withShared)
  testUpkeep(test, withShared)
  testChance(test, withShared, process.env['SEED']?.split(',') ?? seeds)
}

const page = { limit: 1_000 }
/** Written only where a list asks for it. */
const never = { writeDelayMs: 3_600_000 }

const placed = (orderId: string): Told => ['OrderPlaced', { ...placedValue, orderId }]
const cancelled = (orderId: string): Told => ['OrderCancelled', { orderId, reason: 'r' }]
const stockSet: Told = ['StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 1_000 }]
const reserved = (orderId: string): Told => ['StockReserved', { orderId, lines: [{ sku: 'book', quantity: 2 }] }]
const released = (orderId: string): Told => ['StockReleased', { orderId, lines: [{ sku: 'book', quantity: 2 }] }]
const about = (key: string) => ({ saga: 'order', key })
const started = (key: string): Told => [
  'SagaStarted',
  { ...about(key), revision: 'r1', startType: 'OrderPlaced', start: Buffer.alloc(0), deadlineAt: null }
]
const failed = { type: 'OrderCancelled', step: 'stock', message: 'm' }
const compensating = (key: string): Told => ['CompensationStarted', { ...about(key), failure: failed }]
const compensated = (key: string): Told => ['SagaCompensated', about(key)]

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false
  void promise.finally(() => (settled = true)).catch(() => undefined)
  for (let i = 0; i < 20; i++) await new Promise((resolve) => void setImmediate(resolve))
  return settled
}

const testShowing = (test: Declare, withShared: WithShared): void => {
  test('replicas: each shows what it has folded itself, and in its lists no less', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      for (const id of ['o1', 'o2', 'o3']) {
        const seen = [a, b].map(({ view }) => whenPlaced(view, 'orchestration', id, 10_000).done)
        await journals.tell('order', placed(id))
        t.deepEqual(
          (await Promise.all(seen)).map((row) => row?.orderId),
          [id, id]
        )
        const lists = await Promise.all([a, b].map(({ view }) => view.list(orders, {}, page)))
        for (const { rows } of lists) t.is(rows[0]?.orderId, id)
      }
      await expectTrue(t)
    })
  })

  test('replicas: one that has fallen behind folds nothing twice', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const limits = { ...never, roundRecordsMax: 1, recentBytesMax: 1 }
      const [a, b] = [await replica({ limits: never }), await replica({ limits })]
      b.hold(...Object.values(viewTopics))
      await journals.tell('stock', stockSet, reserved('o1'), reserved('o2'))
      await journals.tell('order', placed('o1'), placed('o2'))
      await journals.tell('saga', started('o1'), started('o2'), compensating('o1'))
      await caughtUp(a, journals)
      t.is((await a.view.list(orders, {}, page)).rows.length, 2)
      b.release()
      await journals.tell('stock', reserved('o3'), released('o1'))
      await caughtUp(b, journals)
      t.is((await b.view.row(stock, 'book'))?.reserved, 4)
      t.is(timelineEntries((await b.view.row(sagas, sagaRowKey('order', 'o1')))!.timeline).length, 2)
      t.is((await b.view.list(orders, {}, page)).rows.length, 2)
      await expectTrue(t)
    })
  })
}

const testAhead = (test: Declare, withShared: WithShared): void => {
  test('replicas: a row that is ahead is shown when all else has come as far', async (t) => {
    await withShared(async ({ journals, replica }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      b.hold(...Object.values(viewTopics))
      await journals.tell('stock', stockSet, reserved('o1'), released('o1'))
      await journals.tell('order', placed('o1'), cancelled('o1'))
      await journals.tell('saga', started('o1'), compensating('o1'), compensated('o1'))
      await caughtUp(a, journals)
      await a.view.list(orders, {}, page)
      const ended = whenEnded(b.view, 'orchestration', 'o1', 10_000).done
      const [found, listed] = [b.view.row(orders, 'o1'), b.view.list(orders, {}, page)]
      b.release(viewTopics.saga)
      await b.view.whenSeen([{ topic: viewTopics.saga, partition: 0, offset: 2 }], 10_000).done
      const later = b.view.row(orders, 'o1')
      for (const promise of [ended, found, listed, later]) t.false(await isSettled(promise))
      b.release()
      t.is((await ended)?.status, 'CANCELLED')
      t.is((await b.view.row(stock, 'book'))?.reserved, 0)
      for (const row of [await found, await later, (await listed).rows[0]]) t.is(row?.stock.status, 'RELEASED')
    })
  })

  test('replicas: an order does not end by a saga that is ahead of the stock', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      await journals.tell('stock', stockSet, reserved('o1'))
      await journals.tell('order', placed('o1'), cancelled('o1'))
      await caughtUp(b, journals)
      b.hold(viewTopics.stock, viewTopics.saga)
      await journals.tell('saga', started('o1'), compensating('o1'))
      await journals.tell('stock', released('o1'))
      await journals.tell('saga', compensated('o1'))
      await caughtUp(a, journals)
      await a.view.list(orders, {}, page)
      const ended = whenEnded(b.view, 'orchestration', 'o1', 10_000).done
      b.release(viewTopics.saga)
      await b.view.whenSeen([{ topic: viewTopics.saga, partition: 0, offset: 2 }], 10_000).done
      t.false(await isSettled(ended))
      b.release()
      t.is((await ended)?.stock.status, 'RELEASED')
      await b.view.list(orders, {}, page)
      await expectTrue(t)
    })
  })

  test('replicas: one that stays behind says so, and does not keep anybody for ever', async (t) => {
    await withShared(async ({ journals, replica }) => {
      const limits = { ...never, behindPatienceMs: 1 }
      const [a, b] = [await replica({ limits }), await replica({ limits })]
      b.hold(viewTopics.order)
      await journals.tell('order', placed('o1'))
      await caughtUp(a, journals)
      await a.view.list(orders, {}, page)
      await t.throwsAsync(b.view.row(orders, 'o1'), { code: 'PARCOMOLO_VIEW_BEHIND' })
      await t.throwsAsync(b.view.list(orders, {}, page), { code: 'PARCOMOLO_VIEW_BEHIND' })
      b.release()
      t.is((await whenPlaced(b.view, 'orchestration', 'o1', 10_000).done)?.orderId, 'o1')
    })
  })
}

const testWriting = (test: Declare, withShared: WithShared): void => {
  test('replicas: a slower one writes no older row over a newer one', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      await journals.tell('order', placed('o1'))
      await caughtUp(b, journals)
      b.hold(viewTopics.order)
      await journals.tell('order', cancelled('o1'))
      await journals.tell('stock', stockSet)
      await caughtUp(a, journals)
      await a.view.list(orders, {}, page)
      await b.view.whenSeen([{ topic: viewTopics.stock, partition: 0, offset: 0 }], 10_000).done
      const listed = b.view.list(orders, {}, page)
      t.false(await isSettled(listed))
      t.is(b.grip.writeCount, 0)
      b.release()
      t.is((await listed).rows[0]?.status, 'CANCELLED')
      await expectTrue(t)
    })
  })

  test('replicas: each ahead of the other in another journal, they come to the same', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      await journals.tell('stock', stockSet)
      a.hold(viewTopics.stock)
      b.hold(viewTopics.order)
      await journals.tell('order', placed('o1'), placed('o2'))
      await journals.tell('stock', reserved('o1'), reserved('o2'))
      await a.view.whenSeen([{ topic: viewTopics.order, partition: 0, offset: 1 }], 10_000).done
      await b.view.whenSeen([{ topic: viewTopics.stock, partition: 0, offset: 2 }], 10_000).done
      t.is((await a.view.list(orders, {}, page)).rows[0]?.stock.status, 'PENDING')
      const listed = b.view.list(orders, {}, page)
      t.false(await isSettled(listed))
      b.release()
      t.is((await listed).rows[0]?.stock.status, 'RESERVED')
      a.release()
      await caughtUp(a, journals)
      t.is((await a.view.row(stock, 'book'))?.reserved, 4)
      await a.view.list(orders, {}, page)
      await expectTrue(t)
    })
  })
}

const testTurns = (test: Declare, withShared: WithShared): void => {
  test('replicas: one writes while it lives, and another goes on when it is killed', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const clock = new VirtualClock(1_000)
      const both = [await replica({ clock }), await replica({ clock })] as const
      const [a, b] = both
      const turn = async (ms: number): Promise<void> => {
        clock.advance(ms)
        do await nextTurns()
        while (!both.every(({ grip }) => grip.isIdle))
      }
      const total = (): number => a.grip.writeCount + b.grip.writeCount
      const tell = async (id: string): Promise<void> => {
        await journals.tell('order', placed(id))
        for (const one of both) await caughtUp(one, journals)
      }
      const round = async (id: string): Promise<void> => {
        await tell(id)
        const before = total()
        await until(() => total() > before, turn)
      }
      // At the very first both may try, and one comes too late.
      for (const id of ['o1', 'o2', 'o3']) await round(id)
      const [second, first] = both.toSorted((one, other) => one.grip.writeCount - other.grip.writeCount) as [
        Replica,
        Replica
      ]
      const before = second.grip.writeCount
      for (const id of ['o4', 'o5', 'o6', 'o7', 'o8', 'o9', 'o10', 'o11']) await round(id)
      t.is(second.grip.writeCount, before)
      first.grip.kill()
      await journals.tell('order', placed('o12'))
      await caughtUp(second, journals)
      const count = second.grip.writeCount
      await until(() => second.grip.writeCount > count, turn)
      t.is((await second.view.list(orders, {}, page)).rows.length, 12)
      await expectTrue(t)
    })
  })
}

const testBacklog = (test: Declare, withShared: WithShared): void => {
  test('replicas: one that may not write before it has folded more, folds on although too much waits', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [
        await replica({ limits: never }),
        await replica({ limits: { writeDelayMs: 1, waitingBytesMax: 1 } })
      ]
      a.hold(viewTopics.stock)
      b.hold(...Object.values(viewTopics))
      await journals.tell('order', placed('o1'))
      await caughtUp(a, journals, viewTopics.order)
      await a.view.list(orders, {}, page)
      await journals.tell('stock', stockSet, reserved('o1'), reserved('o2'), reserved('o3'))
      b.release(viewTopics.stock)
      await caughtUp(b, journals, viewTopics.stock)
      t.is(b.view.health().stalledBy, 'its store cannot be written')
      b.release()
      t.is((await whenPlaced(b.view, 'orchestration', 'o1', 10_000).done)?.stock.status, 'RESERVED')
      a.release()
      await caughtUp(a, journals)
      t.is((await b.view.list(orders, {}, page)).rows.length, 1)
      await expectTrue(t)
    })
  })

  test('replicas: an answer that is lost makes nobody write or fold twice', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const a = await replica({ limits: { ...never, recentBytesMax: 1 } })
      await journals.tell('stock', stockSet, reserved('o1'))
      await caughtUp(a, journals)
      a.grip.loseAnswer()
      await t.throwsAsync(a.view.list(orders, {}, page), { message: 'the answer is lost' })
      await journals.tell('stock', reserved('o2'))
      await caughtUp(a, journals)
      t.is((await a.view.list(stock, {}, page)).rows[0]?.reserved, 4)
      await expectTrue(t)
    })
  })
}

const testUpkeep = (test: Declare, withShared: WithShared): void => {
  test('replicas: a record that cannot be decoded is counted once', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const [a, b] = [await replica({ limits: never }), await replica({ limits: never })]
      await journals.tellBytes('order', new Uint8Array([1, 2, 3, 4, 5, 6]))
      await journals.tell('order', placed('o1'))
      await Promise.all([caughtUp(a, journals), caughtUp(b, journals)])
      await Promise.all([a.view.list(orders, {}, page), b.view.list(orders, {}, page)])
      const c = await replica()
      t.is(c.view.health().skippedCount, 1)
      await expectTrue(t)
    })
  })

  test('replicas: a store that was emptied under a view ends it, and it can be opened again', async (t) => {
    await withShared(async ({ journals, replica, expectTrue }) => {
      const a = await replica({ limits: never })
      await journals.tell('order', placed('o1'))
      await caughtUp(a, journals)
      await a.view.list(orders, {}, page)
      const { store } = a.grip
      t.true(await store.clear(await store.moment()))
      await journals.tell('order', placed('o2'))
      await until(async () => a.view.state() === 'failed', nextTurns)
      t.regex(a.view.health().failure ?? '', /was emptied, brought back from a backup/)
      const b = await replica()
      t.is((await b.view.list(orders, {}, page)).rows.length, 2)
      await expectTrue(t)
    })
  })
}

const nextTurns = async (): Promise<void> => void (await isSettled(new Promise(() => undefined)))

const until = async (holds: () => boolean | Promise<boolean>, pass: (ms: number) => Promise<void>): Promise<void> => {
  while (!(await holds())) await pass(100)
}

const testChance = (test: Declare, withShared: WithShared, seeds: readonly string[]): void => {
  for (const seed of seeds)
    test(`replicas: whatever happens to them, the store is the fold of the journals: ${seed}`, async (t) => {
      await withShared((shared) => runByChance(t, shared, seed))
    })
}

const limits = { writeDelayMs: 1, roundRecordsMax: 2, recentBytesMax: 1, writeBytesMax: 1 }

const runByChance = async (t: ExecutionContext, shared: Shared, seed: string): Promise<void> => {
  const random = seededRandom(seed)
  const below = (max: number): number => Math.floor(random() * max)
  const { journals, replica } = shared
  const replicas = [await replica({ limits }), await replica({ limits }), await replica({ limits })]
  const told = { orders: 0 }
  await journals.tell('stock', stockSet)
  const topics = Object.values(viewTopics)
  const steps: (() => Promise<void>)[] = [
    ...Array.from({ length: 6 }, () => () => tellByChance(journals, told, below)),
    async () => replicas[below(3)]!.hold(topics[below(topics.length)]!),
    async () => replicas[below(3)]!.release(),
    async () => replicas[below(3)]!.grip.loseAnswer(),
    async () => void replicas[below(3)]!.view.list(orders, {}, page).catch(() => undefined),
    async () => {
      const place = below(3)
      replicas[place]!.grip.kill()
      replicas[place] = await replica({ limits })
    }
  ]
  for (let i = 0; i < 150; i++) await steps[below(steps.length)]!()
  for (const one of replicas) one.release()
  for (const one of replicas) await caughtUp(one, journals)
  const lists = []
  for (const { view } of replicas) lists.push(await listsOf(view))
  for (const list of lists) t.deepEqual(list, lists[0])
  t.is(lists[0]!.orders.length, told.orders)
  await shared.expectTrue(t)
}

type Lists = {
  readonly orders: readonly object[]
  readonly sagas: readonly SagaRow[]
  readonly stock: readonly StockRow[]
}

const listsOf = async (view: View): Promise<Lists> => ({
  orders: (await listed(() => view.list(orders, {}, page))).map(asRead),
  sagas: await listed(() => view.list(sagas, {}, page)),
  stock: await listed(() => view.list(stock, {}, page))
})

/** The last answer of a view may have been lost. */
const listed = async <T>(list: () => Promise<{ readonly rows: readonly T[] }>): Promise<readonly T[]> =>
  (await list().catch(list)).rows

const tellByChance = async (
  journals: Journals,
  told: { orders: number },
  below: (max: number) => number
): Promise<void> => {
  const known = told.orders === 0 ? undefined : `o${below(told.orders)}`
  const what = below(6)
  if (what === 0 || known === undefined) {
    const id = `o${told.orders++}`
    await journals.tell('order', placed(id))
    await journals.tell('saga', started(id))
  } else if (what === 1) await journals.tell('stock', reserved(known))
  else if (what === 2) await journals.tell('stock', released(known), reserved(known))
  else if (what === 3) await journals.tell('order', cancelled(known))
  else if (what === 4) await journals.tell('payment', ['PaymentFailed', { orderId: known, reason: 'no' }])
  else await journals.tell('saga', compensating(known), compensated(known))
}
