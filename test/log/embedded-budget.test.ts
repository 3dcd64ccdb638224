import test, { type ExecutionContext } from 'ava'
import { accountBytesMin, Budget } from '../../src/base/index.ts'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log, LogRecord } from '../../src/log/index.ts'
import { newFolder } from './folder.ts'
import { keysOf, record } from './records.ts'

const mebibyte = 2 ** 20
const journal = { topic: 'journal', partition: 0 }
const table = { topic: 'table', partition: 0 }

const open = async (t: ExecutionContext, options: Partial<EmbeddedLogOptions>): Promise<Log> => {
  const log = await openEmbeddedLog({ dir: newFolder(t), ...options })
  t.teardown(() => log.close())
  await log.ensureTopics([
    { topic: 'journal', partitions: 24, cleanup: 'delete' },
    { topic: 'table', partitions: 1, cleanup: 'compact' }
  ])
  return log
}

const sized = (key: string, bytes: number): LogRecord => record(key, '.'.repeat(bytes))
const many = (count: number, bytes: number): LogRecord[] =>
  Array.from({ length: count }, (_, i) => sized(`${i}`, bytes))

test('the newest records have a quarter of a small budget in memory', async (t) => {
  const budget = new Budget(8 * mebibyte)
  const log = await open(t, { budget })
  const writer = await log.claim(journal)
  for (let i = 0; i < 10; i++) await log.durable(journal, (await writer.append(many(100, 10_000))) + 100)
  await writer.append([record('last')])
  const held = budget.holders.get('tail')!.heldBytes
  t.true(held > mebibyte && held <= 2 * mebibyte, `${held} bytes held`)
})

test('readers far behind stay within the budget, and hold nothing when they are through', async (t) => {
  const budget = new Budget(4 * mebibyte)
  const log = await open(t, { budget, tailBytesMax: 0 })
  const places = Array.from({ length: 24 }, (_, partition) => ({ topic: 'journal', partition }))
  for (const place of places) {
    const writer = await log.claim(place)
    for (let i = 0; i < 15; i++) await writer.append(many(4, 4_000))
    await log.durable(place, 60)
  }
  const readers = places.map((place) => log.reader([{ ...place, offset: 0 }], 'durable'))
  const heldMax = budget.bytesMax + places.length * accountBytesMin
  let heldMost = 0
  for (let left = places.length * 60; left > 0;) {
    await Promise.race(readers.map((reader) => reader.ready()))
    for (const reader of readers) for (const { records } of reader.take(10, 40_000)) left -= records.length
    heldMost = Math.max(heldMost, budget.heldBytes)
  }
  t.true(heldMost > mebibyte && heldMost <= heldMax, `${heldMost} bytes held`)
  for (const reader of readers) reader.close()
  while (budget.holders.get('readers')!.heldBytes > 0) await new Promise((resolve) => void setImmediate(resolve))
  t.pass()
})

test('a compacted topic with large values is read and followed some at a time', async (t) => {
  const budget = new Budget(8 * mebibyte)
  const log = await open(t, { budget })
  const writer = await log.claim(table)
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  for (const key of keys) await writer.append([sized(key, 400_000)])
  const reader = log.reader([{ ...table, offset: 0 }], 'visible')
  const followed: string[] = []
  while (followed.length < keys.length) {
    await reader.ready()
    for (const { records } of reader.take(3)) followed.push(...keysOf(records))
    t.true(budget.heldBytes <= 2 * mebibyte, `${budget.heldBytes} bytes held`)
  }
  const read: string[] = []
  for await (const records of log.read(table, 0, keys.length)) {
    read.push(...keysOf(records))
    t.true(records.length <= 2 && budget.holders.get('ranges')!.heldBytes > 0)
  }
  t.deepEqual([followed, read], [keys, keys])
  reader.close()
  t.is(budget.heldBytes, 0)
})
