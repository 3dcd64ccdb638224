import { sha256Hex } from '../../src/base/index.ts'
import type { StockRow } from '../../src/shop/inventory/projection.ts'
import { emptyOrder, type OrderRow } from '../../src/shop/order/projection.ts'
import type { FilterBy, Projection } from '../../src/view/projection.ts'
import type { Moment, Page, PageRequest, Read, ViewChange, ViewStore } from '../../src/view/store.ts'
import type { Declare } from './replica-set.ts'
import { viewLayout, type ViewLayout } from '../../src/view/index.ts'
import { orders, shopLayout, stock } from '../helpers/shop-parts.ts'
import { sold, type SoldRow } from './sold.ts'
import { runningCounts, type SagaRow, sagas } from '../../src/view/sagas.ts'

/** What every store of the view must do. `open` gives an empty one of a layout. */
export const testViewStore = (test: Declare, open: (layout: ViewLayout) => Promise<ViewStore>): void => {
  const withStore = storeUser(() => open(shopLayout))
  testWrites(test, withStore)
  testTexts(test, withStore)
  testMoments(test, withStore)
  testOrderLists(test, withStore)
  testOtherLists(test, withStore)
  testUpkeep(test, withStore)
  testOwnProjection(
    test,
    storeUser(() => open(viewLayout([sold])))
  )
}

type WithStore = (run: (store: ViewStore) => Promise<void>) => Promise<void>

const storeUser =
  (open: () => Promise<ViewStore>): WithStore =>
  async (run) => {
    const store = await open()
    try {
      await run(store)
    } finally {
      await store.close()
    }
  }

const testWrites = (test: Declare, withStore: WithStore): void => {
  test('a new store is empty, and knows no position', async (t) => {
    await withStore(async (store) => {
      t.is((await store.moment()).positions.size, 0)
      t.is((await rowsOf(store, orders, ['o1'])).size, 0)
      t.deepEqual((await store.list(orders, {}, { limit: 10 })).found, { rows: [], next: undefined })
      t.false(store.wasReset)
    })
  })

  test('rows come back as they were written, and the last write counts', async (t) => {
    await withStore(async (store) => {
      const order = { ...orderRow('o1', 1), timeline: orderTimeline }
      const saga = sagaRow('o1', 1)
      const book = { sku: 'book', name: "B'ook \\u2028 ☃", priceCents: 1, onHand: 2, reserved: 1, isSet: true }
      await write(store, change({ orders: [orderRow('o1', 0)] }))
      await write(store, change({ orders: [order], sagas: [saga], stock: [book] }))
      t.deepEqual((await rowsOf(store, orders, ['o1', 'o2'])).get('o1'), order)
      t.deepEqual((await rowsOf(store, sagas, ['order/o1'])).get('order/o1'), saga)
      t.deepEqual([...(await rowsOf(store, stock, ['book', 'lamp']))], [['book', book]])
    })
  })

  test('an instance whose key has slashes is found by it', async (t) => {
    await withStore(async (store) => {
      await write(store, change({ sagas: [sagaRow('a/b/c', 1)] }))
      t.is((await rowsOf(store, sagas, ['order/a/b/c'])).get('order/a/b/c')?.key, 'a/b/c')
    })
  })

  test('positions are written with the rows', async (t) => {
    await withStore(async (store) => {
      const position = { next: 7, key: 'o1', timestamp: 5 }
      await write(store, change({ positions: new Map([['order-events/0', position]]) }))
      await write(store, change({ positions: new Map([['stock-events/0', { ...position, next: 1 }]]) }))
      t.deepEqual(Object.fromEntries((await store.moment()).positions), {
        'order-events/0': position,
        'stock-events/0': { ...position, next: 1 }
      })
    })
  })

  test('a write that fails half-way leaves nothing behind', async (t) => {
    await withStore(async (store) => {
      const bad = { ...orderRow('o2', 1), customerId: undefined } as unknown as OrderRow
      const positions = new Map([['order-events/0', { next: 1, key: '', timestamp: 1 }]])
      await t.throwsAsync(write(store, change({ orders: [orderRow('o1', 1), bad], positions })), {
        code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE'
      })
      t.is((await rowsOf(store, orders, ['o1'])).size, 0)
      t.is((await store.moment()).positions.size, 0)
      await write(store, change({ orders: [orderRow('o1', 1)] }))
      t.is((await rowsOf(store, orders, ['o1'])).size, 1)
    })
  })
}

const orderTimeline = [
  ...[1, { type: 'OrderPlaced', topic: 'order-events' }, 0, 0, 7],
  ...[{ type: 'StockReserved', topic: 'stock-events' }, -1, 2, 5],
  ...[{ type: 'OrderConfirmed', topic: 'order-events' }, 12_345_678_901, 0, 12_345_678_901]
]

/** Too long for an entry of an index, even if it were compressed. */
const longText = Array.from({ length: 200 }, (_, i) => sha256Hex(String(i))).join('')

const texts = ['\u0000', 'a\nb\r"\\', '\ud800', '\udc00\ud800', '\u0001', '\u0002', '{"a":1}', '\\N', '☃😀', longText]

const testTexts = (test: Declare, withStore: WithStore): void => {
  // What a foreign participant writes is not chosen by anybody here: a database's likes must not stop the view.
  for (const text of texts)
    test(`a text like ${JSON.stringify(text).slice(0, 20)} comes back as it was, as a key and in a row`, async (t) => {
      await withStore(async (store) => {
        const [order, other] = [
          { ...orderRow(`o${text}`, 2), customerId: text },
          { ...orderRow(`${text}o`, 1), customerId: text }
        ]
        const saga = sagaRow(`k/${text}`, 1, { failure: { type: text, step: text, message: text } })
        const item = { sku: text, name: text, priceCents: 1, onHand: 2, reserved: 1, isSet: true }
        const positions = new Map([['order-events/0', { next: 1, key: text, timestamp: 1 }]])
        const skipped = [{ place: 'order-events/0', offset: 3, code: 'C', message: text }]
        await write(store, change({ orders: [order, other], sagas: [saga], stock: [item], positions, skipped }))
        const keys = [order.orderId, other.orderId]
        t.deepEqual(
          [...(await rowsOf(store, orders, keys))],
          [
            [keys[0], order],
            [keys[1], other]
          ]
        )
        t.deepEqual((await rowsOf(store, sagas, [`order/k/${text}`])).get(`order/k/${text}`), saga)
        t.deepEqual((await rowsOf(store, stock, [text])).get(text), item)
        t.deepEqual((await store.moment()).positions, positions)
        const mine = await allPages((page) => store.list(orders, { customerId: text }, page), 1)
        t.deepEqual(mine, [order, other])
        t.deepEqual(await allPages((page) => store.list(sagas, { key: `k/${text}` }, page), 1), [saga])
      })
    })
}

const testMoments = (test: Declare, withStore: WithStore): void => {
  test('a write gives the moment that it makes, with the positions of all writes before it', async (t) => {
    await withStore(async (store) => {
      const before = await store.moment()
      const first = await write(store, change({ positions: new Map([['order-events/0', position(1)]]) }))
      const second = await write(store, change({ positions: new Map([['stock-events/0', position(2)]]) }))
      t.true(second!.version > first!.version && first!.version > before.version)
      t.deepEqual(Object.fromEntries(second!.positions), {
        'order-events/0': position(1),
        'stock-events/0': position(2)
      })
      t.deepEqual(await store.moment(), second)
    })
  })

  test('a write on top of a moment that is past does nothing', async (t) => {
    await withStore(async (store) => {
      const past = await store.moment()
      await write(store, change({ orders: [orderRow('o1', 2)], positions: new Map([['order-events/0', position(2)]]) }))
      const late = change({
        orders: [orderRow('o1', 1), orderRow('o2', 1)],
        positions: new Map([['a/0', position(1)]])
      })
      t.is(await store.write(late, past), undefined)
      const rows = await rowsOf(store, orders, ['o1', 'o2'])
      t.deepEqual([...rows.keys()], ['o1'])
      t.is(rows.get('o1')?.placedAt, 2)
      t.deepEqual([...(await store.moment()).positions.keys()], ['order-events/0'])
    })
  })

  test('of several writes on top of one moment, one is made', async (t) => {
    await withStore(async (store) => {
      const last = await store.moment()
      const ids = ['o1', 'o2', 'o3', 'o4']
      const writes = ids.map((id) => store.write(change({ orders: [orderRow(id, 1)] }), last))
      const made = (await Promise.allSettled(writes)).flatMap((one, i) =>
        one.status === 'fulfilled' && one.value !== undefined ? [ids[i]] : []
      )
      t.is(made.length, 1)
      t.deepEqual([...(await rowsOf(store, orders, ids)).keys()], made)
    })
  })

  test('whatever is read comes with its moment', async (t) => {
    await withStore(async (store) => {
      const made = await write(store, change({ positions: new Map([['order-events/0', position(1)]]) }))
      t.deepEqual((await store.get(orders, ['o1'])).moment, made)
      t.deepEqual((await store.get(stock, ['book'])).moment, made)
      t.deepEqual((await store.get(sagas, ['order/o1'])).moment, made)
      t.deepEqual((await store.list(orders, {}, { limit: 1 })).moment, made)
      t.deepEqual((await store.list(sagas, {}, { limit: 1 })).moment, made)
      t.deepEqual((await store.list(stock, {}, { limit: 1 })).moment, made)
      t.deepEqual((await store.count(sagas)).moment, made)
    })
  })

  test('a store that has moved on is not cleared, and one that is cleared has moved on', async (t) => {
    await withStore(async (store) => {
      const past = await store.moment()
      const made = await write(store, change({ orders: [orderRow('o1', 1)] }))
      t.false(await store.clear(past))
      t.is((await rowsOf(store, orders, ['o1'])).size, 1)
      t.true(await store.clear(made!))
      t.is(await store.write(change({ orders: [orderRow('o1', 1)] }), made!), undefined)
    })
  })
}

const position = (next: number) => ({ next, key: 'k', timestamp: next })

const testOrderLists = (test: Declare, withStore: WithStore): void => {
  test('orders are listed newest first, page by page, each once, those of one time as well', async (t) => {
    await withStore(async (store) => {
      const rows = Array.from({ length: 25 }, (_, i) => orderRow(`o${String(i).padStart(2, '0')}`, Math.floor(i / 5)))
      await write(store, change({ orders: rows }))
      const listed = await allPages((page) => store.list(orders, {}, page), 4)
      t.deepEqual(
        listed.map((row) => row.orderId),
        rows.map((row) => row.orderId).toReversed()
      )
    })
  })

  test('an order that arrives between two pages does not move the second', async (t) => {
    await withStore(async (store) => {
      await write(store, change({ orders: [orderRow('o1', 1), orderRow('o2', 2), orderRow('o3', 3)] }))
      const first = (await store.list(orders, {}, { limit: 2 })).found
      await write(store, change({ orders: [orderRow('o4', 4)] }))
      const second = (await store.list(orders, {}, { limit: 2, after: first.next })).found
      t.deepEqual(
        [...first.rows, ...second.rows].map((row) => row.orderId),
        ['o3', 'o2', 'o1']
      )
      t.is(second.next, undefined)
    })
  })

  test('orders are listed by customer and by status, and those not placed yet not at all', async (t) => {
    await withStore(async (store) => {
      const statuses = ['PENDING', 'COMPLETED', 'REJECTED', 'COMPLETED'] as const
      const rows = statuses.map((status, i) => ({ ...orderRow(`o${i}`, i), status, customerId: `c${i % 2}` }))
      await write(store, change({ orders: [...rows, { ...emptyOrder('o9'), status: 'REJECTED' }] }))
      const ids = async (filter: FilterBy<'customerId' | 'status'>): Promise<string> =>
        (await store.list(orders, filter, { limit: 10 })).found.rows.map((row) => row.orderId).join(' ')
      t.is(await ids({}), 'o3 o2 o1 o0')
      t.is(await ids({ customerId: 'c1' }), 'o3 o1')
      t.is(await ids({ status: 'COMPLETED' }), 'o3 o1')
      t.is(await ids({ status: 'REJECTED' }), 'o2')
      t.is(await ids({ customerId: 'c0', status: 'COMPLETED' }), '')
    })
  })
}

const testOtherLists = (test: Declare, withStore: WithStore): void => {
  test('instances are listed newest first, by saga, key and status', async (t) => {
    await withStore(async (store) => {
      const rows = [
        sagaRow('o1', 1),
        sagaRow('o2', 2, { status: 'parked' }),
        sagaRow('o1', 2, { saga: 'audit', status: 'completed', endedAt: 5 })
      ]
      await write(store, change({ sagas: rows }))
      const ids = async (filter: FilterBy<'saga' | 'status' | 'key'>): Promise<string> => {
        const listed = await allPages((page) => store.list(sagas, filter, page), 1)
        return listed.map(({ saga, key }) => `${saga}/${key}`).join(' ')
      }
      t.is(await ids({}), 'order/o2 audit/o1 order/o1')
      t.is(await ids({ saga: 'order' }), 'order/o2 order/o1')
      t.is(await ids({ key: 'o1' }), 'audit/o1 order/o1')
      t.is(await ids({ status: 'parked' }), 'order/o2')
      t.is(await ids({ status: 'completed', saga: 'audit', key: 'o1' }), 'audit/o1')
      t.is(await ids({ status: 'running', key: 'o2' }), '')
    })
  })

  test('running instances are counted by saga and revision', async (t) => {
    await withStore(async (store) => {
      const rows = [
        sagaRow('o1', 1),
        sagaRow('o2', 1, { status: 'parked' }),
        sagaRow('o3', 1, { revision: 'r2' }),
        sagaRow('o4', 1, { status: 'completed', endedAt: 9 })
      ]
      await write(store, change({ sagas: rows }))
      t.deepEqual(runningCounts((await store.count(sagas)).found), [
        { saga: 'order', revision: 'r1', count: 2 },
        { saga: 'order', revision: 'r2', count: 1 }
      ])
      await write(store, change({ sagas: [sagaRow('o1', 1, { status: 'compensated', endedAt: 9 })] }))
      t.is(runningCounts((await store.count(sagas)).found)[0]?.count, 1)
    })
  })

  test('stock is listed by SKU, page by page, and only what was set', async (t) => {
    await withStore(async (store) => {
      const items = ['lamp', 'book', 'ghost', 'unicorn'].map((sku) => ({
        sku,
        name: sku,
        priceCents: 1,
        onHand: 1,
        reserved: 0,
        isSet: sku !== 'ghost'
      }))
      await write(store, change({ stock: items }))
      const listed = await allPages((page) => store.list(stock, {}, page), 2)
      t.deepEqual(
        listed.map((row) => row.sku),
        ['book', 'lamp', 'unicorn']
      )
    })
  })
}

const testUpkeep = (test: Declare, withStore: WithStore): void => {
  test('skipped records are counted, each place once', async (t) => {
    await withStore(async (store) => {
      const skipped = { place: 'order-events/0', offset: 3, code: 'C', message: 'm' }
      await write(store, change({ skipped: [skipped, { ...skipped, offset: 4 }] }))
      await write(store, change({ skipped: [skipped] }))
      t.is(await store.countSkipped(), 2)
    })
  })

  test('a store that is cleared is empty', async (t) => {
    await withStore(async (store) => {
      const positions = new Map([['order-events/0', { next: 1, key: '', timestamp: 1 }]])
      await write(store, change({ orders: [orderRow('o1', 1)], sagas: [sagaRow('o1', 1)], positions }))
      t.true(await store.clear(await store.moment()))
      t.is((await store.moment()).positions.size, 0)
      t.is((await rowsOf(store, orders, ['o1'])).size, 0)
      t.deepEqual(runningCounts((await store.count(sagas)).found), [])
    })
  })
}

const soldRow = (country: string, sku: string, firstAt: number, quantity: number): SoldRow => {
  const isHigh = quantity >= 10
  return { country, sku, firstAt, quantity, demand: isHigh ? 'high' : 'low', highAt: isHigh ? firstAt : null }
}

const soldChange = (...rows: readonly SoldRow[]): ViewChange => ({ ...change({}), rows: new Map([['sold', rows]]) })

const testOwnProjection = (test: Declare, withStore: WithStore): void => {
  test('a read model that somebody adds has tables and lists that follow from it', async (t) => {
    await withStore(async (store) => {
      const rows = [
        soldRow('GB', 'a/b', 5, 2),
        soldRow('GB', 'book', 5, 12),
        soldRow('US', 'book', 7, 3),
        soldRow('US', 'lamp', 6, 1)
      ]
      await write(store, soldChange(...rows.map((row) => ({ ...row, quantity: 2, highAt: null }))))
      await write(store, soldChange(...rows))
      const keys = ['GB/a/b', 'US/book', 'US/lamp', 'US/none']
      t.deepEqual(
        [...(await rowsOf(store, sold, keys))].toSorted(),
        [rows[0], rows[2], rows[3]].map((row) => [`${row!.country}/${row!.sku}`, row])
      )
      const listed = async (filter: FilterBy<'country' | 'sku' | 'demand'>): Promise<string> =>
        (await allPages((page) => store.list(sold, filter, page), 1))
          .map(({ country, sku }) => `${country}/${sku}`)
          .join(' ')
      t.is(await listed({}), 'US/book GB/book GB/a/b')
      t.is(await listed({ sku: 'book' }), 'US/book GB/book')
      t.is(await listed({ country: 'GB' }), 'GB/book GB/a/b')
      t.is(await listed({ demand: 'high' }), 'GB/book')
      t.is(await listed({ demand: 'low', country: 'GB' }), 'GB/a/b')
      t.is(await listed({ demand: 'high', country: 'US' }), '')
      t.deepEqual((await store.count(sold)).found, [
        { of: ['GB'], count: 1 },
        { of: ['US'], count: 2 }
      ])
    })
  })
}

/** On top of what is there. */
export const write = async (store: ViewStore, parts: ViewChange): Promise<Moment | undefined> =>
  store.write(parts, await store.moment())

export const rowsOf = async <Row extends object>(store: ViewStore, of: Projection<Row>, keys: readonly string[]) =>
  (await store.get(of, keys)).found

type Parts = Partial<Omit<ViewChange, 'rows'>> & {
  readonly orders?: readonly OrderRow[]
  readonly sagas?: readonly SagaRow[]
  readonly stock?: readonly StockRow[]
}

export const change = ({ positions, skipped, ...rows }: Parts): ViewChange => ({
  rows: new Map(Object.entries(rows)),
  positions: positions ?? new Map(),
  skipped: skipped ?? []
})

export const orderRow = (orderId: string, placedAt: number): OrderRow => ({
  ...emptyOrder(orderId),
  placedAt,
  customerId: 'c1',
  currency: 'EUR'
})

export const sagaRow = (key: string, startedAt: number, parts: Partial<SagaRow> = {}): SagaRow => ({
  saga: 'order',
  key,
  revision: 'r1',
  status: 'running',
  step: 'stock',
  startedAt,
  startedBy: 'OrderPlaced',
  endedAt: null,
  failure: null,
  isAborted: false,
  isCompensating: false,
  active: [{ step: 'stock', state: 'running', undo: false }],
  omitted: 0,
  timeline: [1, { type: 'SagaStarted', topic: 'saga-events', detail: 'OrderPlaced' }, 0, 0, 0],
  ...parts
})

const allPages = async <T>(list: (page: PageRequest) => Promise<Read<Page<T>>>, limit: number): Promise<T[]> => {
  const rows: T[] = []
  let after: PageRequest['after']
  do {
    const { found: page } = await list({ limit, after })
    rows.push(...page.rows)
    after = page.next
  } while (after !== undefined)
  return rows
}
