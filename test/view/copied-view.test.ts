import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { systemClock } from '../../src/base/index.ts'
import type { Codec } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { orders, shopLayout, stock, viewTopics } from '../helpers/shop-parts.ts'
import {
  foreignTo,
  LogSnapshots,
  openView,
  placesOf,
  snapshotsTopic,
  timelineEntries,
  type View,
  type ViewDeps,
  type ViewSnapshots
} from '../../src/view/index.ts'
import { isUsable, openSqliteViewStore, restoreFile } from '../../src/view/sqlite/index.ts'
import { writeJournals } from '../backlog/journals.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { makeCodec } from './journals.ts'
import { change, orderRow, rowsOf, write } from './store-contract.ts'
import { sagas } from '../../src/view/sagas.ts'

type Stage = { readonly dir: string; readonly log: Log; readonly codec: Codec }

const withJournals = async (orders: number, run: (stage: Stage) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-copied-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const codec = await makeCodec()
  const topics = Object.values(viewTopics)
  await log.ensureTopics([
    ...topics.map((topic) => ({ topic, partitions: 1, cleanup: 'delete' as const })),
    snapshotsTopic
  ])
  if (orders > 0) await writeJournals(log, codec, { orders })
  try {
    await run({ dir, log, codec })
  } finally {
    await log.close()
    await rm(dir, { recursive: true })
  }
}

const openOn = async ({ log, codec }: Stage, path: string, options: Partial<ViewDeps> = {}): Promise<View> => {
  const store = await openSqliteViewStore(path, shopLayout)
  const view = await openView({
    ...{ log, codec, store, topics: Object.values(viewTopics), clock: systemClock },
    ...options
  })
  await view.caughtUp
  return view
}

const page = { limit: 10_000 }

/** All that can be seen, but for the order of entries of several journals. */
const contentsOf = async (view: View) => ({
  orders: (await view.list(orders, {}, page)).rows.map(({ timeline, ...row }) => ({
    ...row,
    timeline: timelineEntries(timeline)
      .map(({ topic, offset, type, at }) => `${topic}/${offset} ${type} ${at}`)
      .toSorted()
  })),
  sagas: (await view.list(sagas, {}, page)).rows,
  stock: (await view.list(stock, {}, page)).rows,
  positions: view.health().positions
})

test('a new view that begins with a copy has row by row what one has that folded everything', async (t) => {
  await withJournals(300, async (stage) => {
    const { dir, log } = stage
    const snapshots = new LogSnapshots(log, shopLayout.version)
    const clock = new VirtualClock(0)
    const saved = Promise.withResolvers<void>()
    const logger = { info: () => saved.resolve(), error: () => undefined, warn: () => undefined }
    const limits = { snapshotRecordsMin: 1_000, snapshotBytesPerRecord: Infinity }
    const first = await openOn(stage, join(dir, 'first.sqlite'), { snapshots, clock, logger, limits })
    await first.list(orders, {}, page)
    clock.advance(5_000)
    await saved.promise
    const told = { customerId: 'c1', lines: [], totalCents: 1, currency: 'EUR', voucher: null, requestHash: 'h' }
    const shippingAddress = { name: 'n', street: 's', city: 'c', postalCode: 'p', country: 'GB' }
    const value = stage.codec.encode('parcomolo.order.OrderPlaced', {
      ...{ ...told, orderId: 'later', paymentToken: 'tok', shippingAddress }
    })
    await (
      await log.claim({ topic: 'order-events', partition: 0 })
    ).append([{ key: 'later', value, timestamp: 1, headers: {} }])
    const path = join(dir, 'second.sqlite')
    const snapshot = (await snapshots.newest())!
    t.is(await foreignTo(log, placesOf(Object.values(viewTopics), log), snapshot.positions), undefined)
    t.is(await restoreFile(path, snapshots, snapshot), undefined)
    t.true(isUsable(path, shopLayout))
    const restored = await openSqliteViewStore(path, shopLayout)
    t.deepEqual((await restored.moment()).positions, snapshot.positions)
    t.is((await restored.list(orders, {}, page)).found.rows.length, 300)
    await restored.close()
    const [second, third] = [await openOn(stage, path), await openOn(stage, ':memory:')]
    const expected = await contentsOf(third)
    t.is(expected.orders.length, 301)
    t.deepEqual(await contentsOf(second), expected)
    for (const view of [first, second, third]) await view.close()
  })
})

test('a copy is of its moment, whatever is written to the store meanwhile', async (t) => {
  await withJournals(0, async ({ dir, log }) => {
    const snapshots = new LogSnapshots(log, shopLayout.version, 4096)
    const store = await openSqliteViewStore(join(dir, 'first.sqlite'), shopLayout)
    // More than a checkpoint waits for.
    const requestHash = 'long'.repeat(1_000)
    const placed = (from: number) =>
      Array.from({ length: 500 }, (_, i) => ({ ...orderRow(`o${from + i}`, from + i), requestHash }))
    await write(store, change({ orders: placed(0) }))
    const copy = (await store.copy())!
    for (let from = 500; from < 5_000; from += 500) await write(store, change({ orders: placed(from) }))
    await write(store, change({ orders: [{ ...orderRow('o1', 1), customerId: 'other' }] }))
    t.true(await snapshots.save(copy, new AbortController().signal))
    await copy.release()
    const path = join(dir, 'second.sqlite')
    t.is(await restoreFile(path, snapshots, (await snapshots.newest())!), undefined)
    const restored = await openSqliteViewStore(path, shopLayout)
    t.is((await restored.list(orders, {}, page)).found.rows.length, 500)
    t.is((await rowsOf(restored, orders, ['o1'])).get('o1')?.customerId, 'c1')
    t.is((await rowsOf(store, orders, ['o1'])).get('o1')?.customerId, 'other')
    await restored.close()
    await store.close()
  })
})

test('who finds that another one has saved what is due leaves it', async (t) => {
  await withJournals(50, async (stage) => {
    const { dir, log } = stage
    const snapshots = new LogSnapshots(log, shopLayout.version)
    const said: string[] = []
    let asked = Promise.withResolvers<void>()
    const listening = new Proxy(snapshots, {
      get: (_, name) => {
        if (name === 'newest') return async () => snapshots.newest().finally(() => setImmediate(() => asked.resolve()))
        const member: unknown = Reflect.get(snapshots, name)
        return typeof member === 'function' ? (member.bind(snapshots) as unknown) : member
      }
    })
    const limits = { snapshotRecordsMin: 500, snapshotBytesPerRecord: Infinity }
    const views = []
    for (const name of ['a', 'b']) {
      const clock = new VirtualClock(0)
      const saved = Promise.withResolvers<void>()
      const logger = { info: () => (said.push(name), saved.resolve()), error: () => undefined, warn: () => undefined }
      const view = await openOn(stage, join(dir, name), { snapshots: listening, clock, logger, limits })
      await view.list(orders, {}, page)
      asked = Promise.withResolvers<void>()
      clock.advance(5_000)
      await (name === 'a' ? saved.promise : asked.promise)
      views.push(view)
    }
    for (const view of views) await view.close()
    t.deepEqual(said, ['a'])
  })
})

test('a view whose copy goes nowhere, as the log is away, can be closed', async (t) => {
  await withJournals(50, async (stage) => {
    const path = join(stage.dir, 'view.sqlite')
    const saving = Promise.withResolvers<void>()
    const snapshots: ViewSnapshots = {
      newest: async () => undefined,
      load: async () => undefined,
      save: () => {
        saving.resolve()
        return new Promise(() => undefined)
      }
    }
    const clock = new VirtualClock(0)
    const limits = { snapshotRecordsMin: 500, snapshotBytesPerRecord: Infinity }
    const view = await openOn(stage, path, { snapshots, clock, limits })
    await view.list(orders, {}, page)
    clock.advance(5_000)
    await saving.promise
    await view.close()
    const again = await openOn(stage, path)
    t.is((await again.list(orders, {}, page)).rows.length, 50)
    await again.close()
  })
})

test('files that are missing, damaged or of another layout are told from those that can be gone on with', async (t) => {
  await withJournals(0, async ({ dir }) => {
    const path = join(dir, 'view.sqlite')
    t.false(isUsable(path, shopLayout))
    const store = await openSqliteViewStore(path, shopLayout)
    const { bytes, freeBytes } = store.space()!
    t.true(bytes > 0 && freeBytes > 0)
    await store.close()
    t.true(isUsable(path, shopLayout))
    t.is((await openSqliteViewStore(':memory:', shopLayout)).space(), undefined)
    const other = new DatabaseSync(join(dir, 'other'))
    other.exec('PRAGMA user_version = 999')
    other.close()
    t.false(isUsable(join(dir, 'other'), shopLayout))
    await writeFile(join(dir, 'damaged'), 'this is no database, and long enough to be looked at as one: '.repeat(100))
    t.false(isUsable(join(dir, 'damaged'), shopLayout))
  })
})
