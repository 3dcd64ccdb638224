import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import type { SagaFilter } from '../../src/view/store.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { change, orderRow, rowsOf, sagaRow, testViewStore, write } from './store-contract.ts'

testViewStore(test, () => openSqliteViewStore(':memory:'))

const inFolder = async (run: (dir: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-store-'))
  try {
    await run(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

test('a file keeps its rows over a restart', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const store = await openSqliteViewStore(file)
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await store.close()
    const again = await openSqliteViewStore(file)
    t.false(again.wasReset)
    t.is((await rowsOf(again, 'orders', ['o1'])).size, 1)
    await again.close()
  })
})

test('a file of another layout is thrown away', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const other = new DatabaseSync(file)
    other.exec('CREATE TABLE orders (something TEXT); PRAGMA user_version = 999')
    other.close()
    const store = await openSqliteViewStore(file)
    t.true(store.wasReset)
    t.deepEqual((await store.listOrders({}, { limit: 1 })).found.rows, [])
    await store.close()
  })
})

test('a file that is no database is thrown away', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    await writeFile(file, 'this is no database, and long enough to be looked at as one: '.repeat(100))
    const store = await openSqliteViewStore(file)
    t.true(store.wasReset)
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await store.close()
    t.true((await stat(file)).size > 0)
  })
})

test('a list costs what its page has, not what there is beside it', async (t) => {
  const store = await openSqliteViewStore(':memory:')
  const sagas = Array.from({ length: 20_000 }, (_, i) =>
    sagaRow(`o${i}`, i, { status: i % 2 === 0 ? 'completed' : 'compensated', endedAt: i })
  )
  await write(store, change({ sagas: [...sagas, sagaRow('a1', 1, { saga: 'audit', status: 'parked' })] }))
  const filters: readonly SagaFilter[] = [
    { saga: 'nobody' },
    { saga: 'audit' },
    { saga: 'audit', status: 'completed' },
    { saga: 'audit', status: 'compensated' },
    { saga: 'order', status: 'parked' },
    { status: 'parked' },
    { saga: 'audit', key: 'a1' }
  ]
  for (const filter of filters) {
    let least = Infinity
    for (let i = 0; i < 5; i++) {
      const before = process.cpuUsage()
      await store.listSagas(filter, { limit: 50 })
      least = Math.min(least, process.cpuUsage(before).user)
    }
    t.true(least < 1_500, `${JSON.stringify(filter)}: ${least} µs`)
  }
  await store.close()
})

test('a folder that is not there is an error with its path', async (t) => {
  const error = await t.throwsAsync(openSqliteViewStore('/does/not/exist/view.sqlite'), {
    code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE'
  })
  t.regex(error?.message ?? '', /'\/does\/not\/exist\/view.sqlite'/)
})
