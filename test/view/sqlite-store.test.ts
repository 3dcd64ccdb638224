import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { isFileSound } from '../../src/view/sqlite/look-over.ts'
import type { FilterBy } from '../../src/view/projection.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { change, orderRow, rowsOf, sagaRow, testViewStore, write } from './store-contract.ts'
import { orders, shopLayout } from '../helpers/shop-parts.ts'
import { sagas } from '../../src/view/sagas.ts'

testViewStore(test, (layout) => openSqliteViewStore(':memory:', layout))

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
    const store = await openSqliteViewStore(file, shopLayout)
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await store.close()
    const again = await openSqliteViewStore(file, shopLayout)
    t.false(again.wasReset)
    t.is((await rowsOf(again, orders, ['o1'])).size, 1)
    await again.close()
  })
})

test('a file of another layout is thrown away', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const other = new DatabaseSync(file)
    other.exec('CREATE TABLE orders (something TEXT); PRAGMA user_version = 999')
    other.close()
    const store = await openSqliteViewStore(file, shopLayout)
    t.true(store.wasReset)
    t.deepEqual((await store.list(orders, {}, { limit: 1 })).found.rows, [])
    await store.close()
  })
})

test('a file that is no database is thrown away', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    await writeFile(file, 'this is no database, and long enough to be looked at as one: '.repeat(100))
    const store = await openSqliteViewStore(file, shopLayout)
    t.true(store.wasReset)
    await write(store, change({ orders: [orderRow('o1', 1)] }))
    await store.close()
    t.true((await stat(file)).size > 0)
  })
})

test('a list costs what its page has, not what there is beside it', async (t) => {
  const store = await openSqliteViewStore(':memory:', shopLayout)
  const many = Array.from({ length: 20_000 }, (_, i) =>
    sagaRow(`o${i}`, i, { status: i % 2 === 0 ? 'completed' : 'compensated', endedAt: i })
  )
  await write(store, change({ sagas: [...many, sagaRow('a1', 1, { saga: 'audit', status: 'parked' })] }))
  const filters: readonly FilterBy<'saga' | 'status' | 'key'>[] = [
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
      await store.list(sagas, filter, { limit: 50 })
      least = Math.min(least, process.cpuUsage(before).user)
    }
    t.true(least < 1_500, `${JSON.stringify(filter)}: ${least} µs`)
  }
  await store.close()
})

test('a folder that is not there is an error with its path', async (t) => {
  const error = await t.throwsAsync(openSqliteViewStore('/does/not/exist/view.sqlite', shopLayout), {
    code: 'PARCOMOLO_VIEW_STORE_UNAVAILABLE'
  })
  t.regex(error?.message ?? '', /'\/does\/not\/exist\/view.sqlite'/)
})

const placed = Array.from({ length: 60 }, (_, i) => orderRow(`order-${i}`, i))
const ids = placed.map(({ orderId }) => orderId)

/** Its rows as they were written; undefined where it was made anew, or is going to be. */
const readWhole = async (file: string): Promise<unknown[] | undefined> => {
  const store = await openSqliteViewStore(file, shopLayout)
  try {
    if (store.wasReset) return undefined
    const [byKey, page] = [await rowsOf(store, orders, ids), await store.list(orders, {}, { limit: 100 })]
    return [...byKey.values(), ...page.found.rows]
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_VIEW_STORE_DAMAGED')) throw error
    return undefined
  } finally {
    await store.close()
  }
}

test('any wrong bit of a closed file leaves its rows right, or it is made anew', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const store = await openSqliteViewStore(file, shopLayout)
    await write(store, change({ orders: placed }))
    await store.close()
    const whole = await readWhole(file)
    const bytes = await readFile(file)
    let madeAnew = 0
    for (let i = 0; i < 120; i++) {
      const damaged = Buffer.from(bytes)
      const at = (i * 7919 + 100) % bytes.length
      damaged[at]! ^= 1 << (i % 8)
      await writeFile(file, damaged)
      const found = await readWhole(file)
      if (found === undefined) {
        t.true((await readWhole(file)) !== whole)
        const again = await openSqliteViewStore(file, shopLayout)
        t.is((await rowsOf(again, orders, ids)).size, 0, `byte ${at}: it is empty, and folded again`)
        await again.close()
        madeAnew++
      } else t.deepEqual(found, whole, `byte ${at}`)
    }
    t.true(madeAnew > 0 && whole?.length === 120)
    t.log({ madeAnew })
  })
})

test('a large file is looked over on another thread, to the same end', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const store = await openSqliteViewStore(file, shopLayout)
    await write(store, change({ orders: placed }))
    await store.close()
    t.true(await isFileSound(file, shopLayout, 0))
    const bytes = await readFile(file)
    await writeFile(file, bytes.fill(0xff, 8192, 8192 + 8))
    t.false(await isFileSound(file, shopLayout, 0))
    t.false(await isFileSound(file, shopLayout))
    await writeFile(file, 'garbage '.repeat(1000))
    t.false(await isFileSound(file, shopLayout, 0))
  })
})

test('a row that is damaged while the file is open is told, and the next opening makes the file anew', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const store = await openSqliteViewStore(file, shopLayout)
    await write(store, change({ orders: placed }))
    await store.close()
    const hand = new DatabaseSync(file)
    hand.exec(`UPDATE orders SET body = replace(body, 'EUR', 'EUX') WHERE id = 'order-7'`)
    hand.close()
    const damaged = await openSqliteViewStore(file, shopLayout)
    t.false(damaged.wasReset)
    t.is((await rowsOf(damaged, orders, ['order-8'])).size, 1)
    const error = await t.throwsAsync(damaged.get(orders, ['order-7']), { code: 'PARCOMOLO_VIEW_STORE_DAMAGED' })
    t.regex(error!.message, /a row of 'orders' is not as it was written.*built anew/)
    await damaged.close()
    const again = await openSqliteViewStore(file, shopLayout)
    t.true(again.wasReset)
    await again.close()
  })
})

test('a copy of an open file is made anew, a copy of a closed one is taken as it is', async (t) => {
  await inFolder(async (dir) => {
    const file = join(dir, 'view.sqlite')
    const store = await openSqliteViewStore(file, shopLayout)
    await write(store, change({ orders: placed }))
    await copyFile(file, join(dir, 'open'))
    await copyFile(`${file}-wal`, join(dir, 'open-wal'))
    await store.close()
    await copyFile(file, join(dir, 'closed'))
    t.is(await readWhole(join(dir, 'open')), undefined)
    t.is((await readWhole(join(dir, 'closed')))?.length, 120)
  })
})
