import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { orders, shopLayout, viewTopics } from '../helpers/shop-parts.ts'
import { openView, type View, type ViewStore } from '../../src/view/index.ts'
import { databaseUrl, newSchema, openPostgres, type Schema, whyNoDatabase } from './database.ts'
import { type Journals, openJournals } from './journals.ts'
import { placedValue } from './records.ts'
import { throughRelay } from './relay.ts'
import { change, orderRow, rowsOf, write } from './store-contract.ts'
import { whenPlaced } from '../../src/shop/order/index.ts'

if (databaseUrl === undefined) test.skip(`faults of a PostgreSQL: ${whyNoDatabase}`, () => undefined)
else testFaults(databaseUrl)

function testFaults(url: string): void {
  testConnections(url)
  testAbsences(url)
  testLosses(url)
}

function testLosses(url: string): void {
  for (const lost of ['the tables', 'one table', 'the schema'])
    test(`a view under which ${lost} were dropped ends, and one that is opened again folds everything`, async (t) => {
      const schema = await schemaOf(t, url)
      const journals = await openJournals()
      t.teardown(() => journals.close())
      await journals.tell('order', ['OrderPlaced', placedValue])
      const failed = Promise.withResolvers<unknown>()
      const view = await followed(journals, await openPostgres(schema.url), [], failed.resolve)
      t.is((await view.list(orders, {}, { limit: 9 })).rows.length, 1)
      const tables = lost === 'one table' ? ['orders'] : ['state', 'positions', 'orders', 'stock', 'sagas', 'skipped']
      if (lost === 'the schema') await schema.query(`DROP SCHEMA ${schema.name} CASCADE`)
      else
        await schema.query(
          `DROP TABLE ${tables.map((name) => `${schema.name}.parcomolo_view_${shopLayout.version}_${name}`).join(', ')}`
        )
      await t.throwsAsync(view.list(orders, {}, { limit: 9 }), { code: 'PARCOMOLO_VIEW_STORE_WENT_BACK' })
      t.like(await failed.promise, { code: 'PARCOMOLO_VIEW_STORE_WENT_BACK' })
      t.is(view.state(), 'failed')
      await view.close()
      const again = await followed(journals, await openPostgres(schema.url), [])
      t.is((await again.list(orders, {}, { limit: 9 })).rows.length, 1)
      await again.close()
    })
}

function testConnections(url: string): void {
  test('connections that are ended are no matter, whether or not they are in use', async (t) => {
    const schema = await schemaOf(t, url)
    const store = await opened(t, schema.url)
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'parcomolo view' AND query LIKE '%${schema.name}%'`
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await schema.query(end)
    t.is((await rowsOf(store, orders, ['o1'])).size, 1)
    t.is(store.failure(), undefined)
    const release = await schema.lock(`parcomolo_view_${shopLayout.version}_orders`)
    const reading = rowsOf(store, orders, ['o1'])
    await untilWaiting(schema)
    await schema.query(`${end} AND wait_event_type = 'Lock'`)
    await release()
    t.is((await reading).size, 1)
  })

  test('a write whose connection ends half-way leaves nothing behind, and is made again', async (t) => {
    const schema = await schemaOf(t, url)
    const store = await opened(t, schema.url)
    const last = await store.moment()
    const release = await schema.lock(`parcomolo_view_${shopLayout.version}_stock`)
    const stock = [{ sku: 'book', name: 'Book', priceCents: 1, onHand: 1, reserved: 0, isSet: true }]
    const writing = store.write(change({ orders: [orderRow('o1', 1)], stock }), last)
    await untilWaiting(schema)
    await schema.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE query LIKE '%${schema.name}%' AND wait_event_type = 'Lock'`)
    await t.throwsAsync(writing, { code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE' })
    await release()
    t.is((await store.moment()).id, last.id)
    t.is((await rowsOf(store, orders, ['o1'])).size, 0)
    t.truthy(await store.write(change({ orders: [orderRow('o1', 1)], stock }), last))
    t.is((await rowsOf(store, orders, ['o1'])).size, 1)
  })
}

function testAbsences(url: string): void {
  test('a store whose database is away says so; reads wait for a moment, and it comes back by itself', async (t) => {
    const schema = await schemaOf(t, url)
    const { relay, url: through } = await throughRelay(t, schema.url)
    const store = await opened(t, through)
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await relay.cut()
    const reading = rowsOf(store, orders, ['o1'])
    await relay.open()
    t.is((await reading).size, 1, 'it was away for a moment')
    await relay.cut()
    await t.throwsAsync(store.moment(), { code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE' })
    t.regex(store.failure()?.message ?? '', /does not answer: .+; it is tried again until it works$/)
    const began = performance.now()
    await t.throwsAsync(store.moment(), { code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE' })
    t.true(performance.now() - began < 1_000, 'nobody waits for what is known to be away')
    await relay.open()
    await until(() => store.failure() === undefined)
    t.is((await rowsOf(store, orders, ['o1'])).size, 1)
  })

  test('a view whose database goes away says what it waits for, and goes on with nothing lost', async (t) => {
    const schema = await schemaOf(t, url)
    const journals = await openJournals()
    t.teardown(() => journals.close())
    const { relay, url: through } = await throughRelay(t, schema.url)
    const said: string[] = []
    const view = await followed(journals, await openPostgres(through), said)
    await journals.tell('order', ['OrderPlaced', placedValue])
    t.truthy(await whenPlaced(view, 'orchestration', 'o1', 10_000).done)
    await relay.cut()
    await journals.tell('order', ['OrderPlaced', { ...placedValue, orderId: 'o2' }])
    const placed = whenPlaced(view, 'orchestration', 'o2', 30_000)
    await until(() => view.health().stalledBy !== undefined)
    t.regex(view.health().stalledBy ?? '', /^the read model's database '.+' does not answer: /)
    t.is(view.state(), 'following')
    t.is((await view.row(orders, 'o1'))?.orderId, 'o1', 'what is in memory is answered')
    await t.throwsAsync(view.row(orders, 'o9'), { code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE' })
    await t.throwsAsync(view.list(orders, {}, { limit: 9 }), { code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE' })
    await relay.open()
    t.is((await placed.done)?.orderId, 'o2')
    t.is((await view.list(orders, {}, { limit: 9 })).rows.length, 2)
    t.is(view.health().stalledBy, undefined)
    t.true(said.includes('the read model waits, and tries again until it works'), said.join('\n'))
    t.true(said.includes('the read model goes on'))
    await view.close()
  })
}

const schemaOf = async (t: ExecutionContext, url: string): Promise<Schema> => {
  const schema = await newSchema(url)
  t.teardown(schema.drop)
  return schema
}

const opened = async (t: ExecutionContext, url: string): Promise<ViewStore> => {
  const store = await openPostgres(url)
  t.teardown(() => store.close())
  return store
}

const followed = async (
  { log, codec }: Journals,
  store: ViewStore,
  said: string[],
  onFailed: (error: unknown) => void = () => undefined
): Promise<View> => {
  const say = (_: object, message: string): void => void said.push(message)
  const deps = { log, codec, store, topics: Object.values(viewTopics), clock: systemClock } as const
  const view = await openView({ ...deps, onFailed, logger: { info: say, warn: say, error: say } })
  await view.caughtUp
  return view
}

/** Somebody wants a table that is locked. */
const untilWaiting = ({ query, name }: Schema): Promise<void> =>
  until(async () => {
    const text = `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%${name}%' AND wait_event_type = 'Lock'`
    return (await query(text)).length > 0
  })

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => void setImmediate(resolve))
}
