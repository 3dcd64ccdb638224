import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import {
  follows,
  instanceKey,
  openView,
  type Projection,
  projection,
  sagas,
  type View,
  viewLayout,
  type ViewLayout
} from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { viewTopics } from '../helpers/shop-parts.ts'
import { type Journals, openJournals } from './journals.ts'
import { placedValue } from './records.ts'
import { sold } from './sold.ts'

type Stage = { readonly journals: Journals; readonly file: string }

const stage = async (t: ExecutionContext): Promise<Stage> => {
  const journals = await openJournals()
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-projections-'))
  t.teardown(async () => {
    await journals.close()
    await rm(dir, { recursive: true })
  })
  return { journals, file: join(dir, 'view.sqlite') }
}

const open = async ({ journals, file }: Stage, layout: ViewLayout, limits = {}): Promise<View> => {
  const { log, codec } = journals
  const store = await openSqliteViewStore(file, layout)
  const topics = Object.values(viewTopics)
  const view = await openView({ log, codec, store, topics, clock: systemClock, limits })
  await view.caughtUp
  return view
}

const bought = (orderId: string, ...lines: readonly [sku: string, quantity: number][]) =>
  [
    'OrderPlaced',
    { ...placedValue, orderId, lines: lines.map(([sku, quantity]) => ({ sku, quantity, priceCents: 1 })) }
  ] as const

const page = { limit: 10 }
const wait = { timeoutMs: 10_000, by: 'read' } as const
const onlySold = viewLayout([sold])

test('a read model that is one value is kept, listed, counted and waited for', async (t) => {
  const at = await stage(t)
  const view = await open(at, onlySold)
  const high = view.whenRow(sold, 'GB/book', ({ demand }) => demand === 'high', wait)
  const shown = view.whenRow(sold, 'GB/a/b', () => true, { timeoutMs: 10_000, by: 'write' })
  await at.journals.tell('order', bought('o1', ['book', 4], ['a/b', 1]), bought('o2', ['book', 3], ['lamp', 2]))
  await at.journals.tell('order', bought('o3', ['book', 3], ['book', 1], ['a/b', 1]))
  t.is((await high.done)?.quantity, 11)
  t.is((await shown.done)?.quantity, 2)
  t.is((await view.row(sold, 'GB/lamp'))?.quantity, 2)
  t.is(await view.row(sold, 'US/lamp'), undefined)
  const skus = async (filter: Parameters<typeof view.list<object, 'country' | 'sku' | 'demand'>>[1]) =>
    (await view.list(sold, filter, page)).rows.map(({ sku }) => sku).toSorted()
  t.deepEqual(await skus({}), ['a/b', 'book', 'lamp'])
  t.deepEqual(await skus({ demand: 'high' }), ['book'])
  t.deepEqual(await skus({ country: 'GB', demand: 'low' }), ['a/b', 'lamp'])
  t.deepEqual(await skus({ sku: 'a/b' }), ['a/b'])
  t.deepEqual(await view.count(sold), [{ of: ['GB'], count: 2 }])
  await view.close()
})

test('its rows are there after a restart, also those that have left memory, and are folded on', async (t) => {
  const at = await stage(t)
  const first = await open(at, onlySold)
  await at.journals.tell('order', bought('o1', ['book', 4]), bought('o2', ['lamp', 1]))
  await first.whenRow(sold, 'GB/book', () => true, wait).done
  await first.close()
  const again = await open(at, onlySold, { recentBytesMax: 1 })
  t.is((await again.row(sold, 'GB/book'))?.quantity, 4)
  t.is(await again.row(sold, 'GB/lamp'), undefined, 'not shown yet')
  await at.journals.tell('order', bought('o3', ['lamp', 1]), bought('o4', ['book', 1]))
  t.is((await again.whenRow(sold, 'GB/lamp', () => true, wait).done)?.quantity, 2)
  await again.whenRow(sold, 'GB/book', ({ quantity }) => quantity === 5, wait).done
  await again.close()
})

for (const [name, layout] of [
  ['it is raised', viewLayout([{ ...sold, layout: 2 }])],
  ['its columns change', viewLayout([{ ...sold, lists: [{ by: ['demand'] }, { by: [] }] }])],
  ['another one stands in its place', viewLayout([{ ...sold, name: 'bought' }])]
] as const)
  test(`a store whose layout is another, as ${name}, is folded anew to the same rows`, async (t) => {
    const at = await stage(t)
    const first = await open(at, onlySold)
    await at.journals.tell('order', bought('o1', ['book', 4]), bought('o2', ['book', 7]))
    await first.whenRow(sold, 'GB/book', ({ quantity }) => quantity === 11, wait).done
    await first.close()
    const store = await openSqliteViewStore(at.file, layout)
    t.true(store.wasReset)
    await store.close()
    const again = await open(at, layout)
    const [rows] = layout.projections.filter((one) => one !== sagas)
    t.like(await again.row(rows!, 'GB/book'), { quantity: 11, demand: 'high' })
    await again.close()
  })

type LatestRow = { readonly key: string; readonly saga: string; readonly status: string; readonly times: number }

/** What became of the instance of a key that has changed last: of whatever saga. */
const latest = projection({
  name: 'latest',
  layout: 1,
  reads: [],
  keyOf: () => undefined,
  fold: (before: LatestRow | undefined) => before,
  follows: follows({
    projection: sagas,
    keyOf: instanceKey,
    fold: (before: LatestRow | undefined, { saga, status }, key): LatestRow =>
      before?.saga === saga && before.status === status
        ? before
        : { key, saga, status, times: (before?.times ?? 0) + 1 }
  }),
  bytesOf: ({ key }) => 100 + key.length,
  columns: { key: { type: 'text', of: ({ key }) => key } },
  key: ['key'],
  lists: []
})

const instance = (saga: string) => ({ saga, key: 'k/1' })
const begun = (saga: string) =>
  [
    'SagaStarted',
    { ...instance(saga), revision: 'r', startType: 'OrderPlaced', start: Buffer.alloc(0), deadlineAt: null }
  ] as const

test('a projection that follows another is folded with its rows, by a key made of theirs', async (t) => {
  const at = await stage(t)
  const view = await open(at, viewLayout([latest]), { recentBytesMax: 1 })
  await at.journals.tell('saga', begun('audit'), begun('order'))
  const ended = view.whenRow(latest, 'k/1', ({ status }) => status === 'completed', wait)
  await at.journals.tell('saga', ['SagaCompleted', instance('audit')])
  t.deepEqual(await ended.done, { key: 'k/1', saga: 'audit', status: 'completed', times: 3 })
  t.deepEqual((await view.list(latest, {}, page)).rows.length, 1)
  await view.close()
})

test('beside the read models of nobody else there are the instances of sagas', async (t) => {
  const at = await stage(t)
  const view = await open(at, viewLayout([]))
  await at.journals.tell('order', bought('o1', ['book', 4]))
  t.deepEqual((await view.list(sagas, {}, page)).rows, [])
  await t.throwsAsync(view.row(sold, 'GB/book'), { message: "the read model has no projection 'sold'" })
  await view.close()
})

const wrong: readonly (readonly [Partial<Projection>, RegExp])[] = [
  [{ name: 'Sold' }, /'Sold' is to be named with small letters/],
  [{ name: 'positions' }, /has the name of a table of the engine/],
  [{ name: 'sagas' }, /'sagas' is there twice/],
  [{ layout: 0 }, /has layout 0; expected 1 or more/],
  [{ key: ['firstAt'] }, /needs a key of columns of text/],
  [{ key: [] }, /needs a key of columns of text/],
  [{ columns: { ...sold.columns, body: { type: 'text', of: () => '' } } }, /has a column 'body'/],
  [{ lists: [{ by: ['highAt'] }] }, /has a list by a column that is no text/],
  [{ lists: [{ by: ['sku'] }] }, /has no list of all/],
  [{ follows: { projection: { ...sold, name: 'x' }, keyOf: (key) => key, fold: () => undefined } }, /follows 'x'/]
]

test('a projection that contradicts itself is refused before anything is opened', (t) => {
  for (const [change, message] of wrong)
    t.throws(() => viewLayout([{ ...(sold as Projection), ...change }]), { instanceOf: TypeError, message })
})

test('a projection that reads a journal which is not followed is refused', async (t) => {
  const { journals } = await stage(t)
  const { log, codec } = journals
  const store = await openSqliteViewStore(':memory:', onlySold)
  const deps = { log, codec, store, topics: [viewTopics.saga, viewTopics.calls], clock: systemClock }
  await t.throwsAsync(openView(deps), { message: /'sold' reads 'order-events', which is not followed/ })
  await store.close()
})
