import type { TestFn } from 'ava'
import { emptyOrder, type OrderRow } from '../../src/view/orders.ts'
import type { SagaRow } from '../../src/view/sagas.ts'
import type { Page, PageRequest, ViewChange, ViewStore } from '../../src/view/store.ts'

/** What every store of the view must do. `open` gives an empty one. */
export const testViewStore = (test: TestFn, open: () => Promise<ViewStore>): void => {
  const withStore = storeUser(open)
  testWrites(test, withStore)
  testOrderLists(test, withStore)
  testOtherLists(test, withStore)
  testUpkeep(test, withStore)
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

const testWrites = (test: TestFn, withStore: WithStore): void => {
  test('a new store is empty, and knows no position', async (t) => {
    await withStore(async (store) => {
      t.is((await store.positions()).size, 0)
      t.is((await store.get('orders', ['o1'])).size, 0)
      t.deepEqual(await store.listOrders({}, { limit: 10 }), { rows: [], next: undefined })
      t.false(store.wasReset)
    })
  })

  test('rows come back as they were written, and the last write counts', async (t) => {
    await withStore(async (store) => {
      const order = { ...orderRow('o1', 1), timeline: [['OrderPlaced', 1, 'order-events', 0, 0]] } as const
      const saga = sagaRow('o1', 1)
      const stock = { sku: 'book', name: "B'ook \\u2028 ☃", priceCents: 1, onHand: 2, reserved: 1, isSet: true }
      await store.write(change({ orders: [orderRow('o1', 0)] }))
      await store.write(change({ orders: [order], sagas: [saga], stock: [stock] }))
      t.deepEqual((await store.get('orders', ['o1', 'o2'])).get('o1'), order)
      t.deepEqual((await store.get('sagas', ['order/o1'])).get('order/o1'), saga)
      t.deepEqual([...(await store.get('stock', ['book', 'lamp']))], [['book', stock]])
    })
  })

  test('an instance whose key has slashes is found by it', async (t) => {
    await withStore(async (store) => {
      await store.write(change({ sagas: [sagaRow('a/b/c', 1)] }))
      t.is((await store.get('sagas', ['order/a/b/c'])).get('order/a/b/c')?.key, 'a/b/c')
    })
  })

  test('positions are written with the rows', async (t) => {
    await withStore(async (store) => {
      const position = { next: 7, key: 'o1', timestamp: 5 }
      await store.write(change({ positions: new Map([['order-events/0', position]]) }))
      await store.write(change({ positions: new Map([['stock-events/0', { ...position, next: 1 }]]) }))
      t.deepEqual(Object.fromEntries(await store.positions()), {
        'order-events/0': position,
        'stock-events/0': { ...position, next: 1 }
      })
    })
  })

  test('a write that fails half-way leaves nothing behind', async (t) => {
    await withStore(async (store) => {
      const bad = { ...orderRow('o2', 1), customerId: undefined } as unknown as OrderRow
      const positions = new Map([['order-events/0', { next: 1, key: '', timestamp: 1 }]])
      await t.throwsAsync(store.write(change({ orders: [orderRow('o1', 1), bad], positions })), {
        code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE'
      })
      t.is((await store.get('orders', ['o1'])).size, 0)
      t.is((await store.positions()).size, 0)
      await store.write(change({ orders: [orderRow('o1', 1)] }))
      t.is((await store.get('orders', ['o1'])).size, 1)
    })
  })
}

const testOrderLists = (test: TestFn, withStore: WithStore): void => {
  test('orders are listed newest first, page by page, each once, those of one time as well', async (t) => {
    await withStore(async (store) => {
      const rows = Array.from({ length: 25 }, (_, i) => orderRow(`o${String(i).padStart(2, '0')}`, Math.floor(i / 5)))
      await store.write(change({ orders: rows }))
      const listed = await allPages((page) => store.listOrders({}, page), 4)
      t.deepEqual(
        listed.map((row) => row.orderId),
        rows.map((row) => row.orderId).toReversed()
      )
    })
  })

  test('an order that arrives between two pages does not move the second', async (t) => {
    await withStore(async (store) => {
      await store.write(change({ orders: [orderRow('o1', 1), orderRow('o2', 2), orderRow('o3', 3)] }))
      const first = await store.listOrders({}, { limit: 2 })
      await store.write(change({ orders: [orderRow('o4', 4)] }))
      const second = await store.listOrders({}, { limit: 2, after: first.next })
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
      await store.write(change({ orders: [...rows, { ...emptyOrder('o9'), status: 'REJECTED' }] }))
      const ids = async (filter: Parameters<ViewStore['listOrders']>[0]): Promise<string> =>
        (await store.listOrders(filter, { limit: 10 })).rows.map((row) => row.orderId).join(' ')
      t.is(await ids({}), 'o3 o2 o1 o0')
      t.is(await ids({ customerId: 'c1' }), 'o3 o1')
      t.is(await ids({ status: 'COMPLETED' }), 'o3 o1')
      t.is(await ids({ status: 'REJECTED' }), 'o2')
      t.is(await ids({ customerId: 'c0', status: 'COMPLETED' }), '')
    })
  })
}

const testOtherLists = (test: TestFn, withStore: WithStore): void => {
  test('instances are listed newest first, by saga, key and status', async (t) => {
    await withStore(async (store) => {
      const rows = [
        sagaRow('o1', 1),
        sagaRow('o2', 2, { status: 'parked' }),
        sagaRow('o1', 2, { saga: 'audit', status: 'completed', endedAt: 5 })
      ]
      await store.write(change({ sagas: rows }))
      const ids = async (filter: Parameters<ViewStore['listSagas']>[0]): Promise<string> => {
        const listed = await allPages((page) => store.listSagas(filter, page), 1)
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
      await store.write(change({ sagas: rows }))
      t.deepEqual(await store.countRunning(), [
        { saga: 'order', revision: 'r1', count: 2 },
        { saga: 'order', revision: 'r2', count: 1 }
      ])
      await store.write(change({ sagas: [sagaRow('o1', 1, { status: 'compensated', endedAt: 9 })] }))
      t.is((await store.countRunning())[0]?.count, 1)
    })
  })

  test('stock is listed by SKU, page by page, and only what was set', async (t) => {
    await withStore(async (store) => {
      const stock = ['lamp', 'book', 'ghost', 'unicorn'].map((sku) => ({
        sku,
        name: sku,
        priceCents: 1,
        onHand: 1,
        reserved: 0,
        isSet: sku !== 'ghost'
      }))
      await store.write(change({ stock }))
      const listed = await allPages((page) => store.listStock(page), 2)
      t.deepEqual(
        listed.map((row) => row.sku),
        ['book', 'lamp', 'unicorn']
      )
    })
  })
}

const testUpkeep = (test: TestFn, withStore: WithStore): void => {
  test('skipped records are counted, each place once', async (t) => {
    await withStore(async (store) => {
      const skipped = { place: 'order-events/0', offset: 3, code: 'C', message: 'm' }
      await store.write(change({ skipped: [skipped, { ...skipped, offset: 4 }] }))
      await store.write(change({ skipped: [skipped] }))
      t.is(await store.countSkipped(), 2)
    })
  })

  test('a store that is cleared is empty', async (t) => {
    await withStore(async (store) => {
      const positions = new Map([['order-events/0', { next: 1, key: '', timestamp: 1 }]])
      await store.write(change({ orders: [orderRow('o1', 1)], sagas: [sagaRow('o1', 1)], positions }))
      await store.clear()
      t.is((await store.positions()).size, 0)
      t.is((await store.get('orders', ['o1'])).size, 0)
      t.deepEqual(await store.countRunning(), [])
    })
  })
}

export const change = (parts: Partial<ViewChange>): ViewChange => ({
  orders: [],
  stock: [],
  sagas: [],
  positions: new Map(),
  skipped: [],
  ...parts
})

export const orderRow = (orderId: string, placedAt: number): OrderRow => ({
  ...emptyOrder(orderId),
  placedAt,
  customerId: 'c1',
  currency: 'EUR'
})

const sagaRow = (key: string, startedAt: number, parts: Partial<SagaRow> = {}): SagaRow => ({
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
  timeline: [['SagaStarted', 1, 'saga-events', 0, 0, { detail: 'OrderPlaced' }]],
  ...parts
})

const allPages = async <T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> => {
  const rows: T[] = []
  let after: PageRequest['after']
  do {
    const page = await list({ limit, after })
    rows.push(...page.rows)
    after = page.next
  } while (after !== undefined)
  return rows
}
