/** Full, broken and forbidden disks, by a disk that fails on demand and, where it can be had, by a real small one. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import type { LogRecord } from '../../src/log/index.ts'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { newFolder } from './folder.ts'
import { keysOf, readAll, record, records, takeUntil } from './records.ts'

const place = { topic: 'journal', partition: 0 }
const table = { topic: 'table', partition: 0 }

const open = async (options: EmbeddedLogOptions): Promise<Log> => {
  const log = await openEmbeddedLog(options)
  await log.ensureTopics([
    { topic: 'journal', partitions: 1, cleanup: 'delete' },
    { topic: 'table', partitions: 1, cleanup: 'compact' }
  ])
  return log
}

const faulty = async (t: ExecutionContext, options: Partial<EmbeddedLogOptions> = {}) => {
  const [dir, disk, clock] = [newFolder(t), new FaultyDisk(), new VirtualClock(0)]
  const log = await open({ dir, disk, clock, ...options })
  t.teardown(() => log.close().catch(() => undefined))
  return { dir, disk, clock, log, writer: await log.claim(place) }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** False while it is pending, looked at after a few turns of the event loop. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false
  const settle = (): void => void (settled = true)
  promise.then(settle, settle)
  await turns(5)
  return settled
}

for (const code of ['ENOSPC', 'EIO']) {
  test(`a write that fails with ${code} is repeated every second until it succeeds`, async (t) => {
    const { dir, disk, clock, log, writer } = await faulty(t)
    disk.writeFault = code
    await writer.append(records('a', 2))
    const durable = log.durable(place, 2)
    t.false(await isSettled(durable))
    t.like(log.health(), { ok: false, code: 'PARCOMOLO_LOG_STALLED' })
    t.is(await writer.append(records('b', 1)), 2)
    clock.advance(999)
    t.is(disk.writes.length, 1)
    clock.advance(1)
    t.is(disk.writes.length, 2)
    disk.writeFault = undefined
    clock.advance(1000)
    await log.durable(place, 3)
    t.deepEqual(log.health(), { ok: true })
    await log.close()
    const again = await open({ dir })
    t.deepEqual(keysOf(await readAll(again, place)), ['a0', 'a1', 'b0'])
    await again.close()
  })
}

test('a disk that does not take anything is told once, and once more when it does', async (t) => {
  const warnings: string[] = []
  const { disk, clock, log, writer } = await faulty(t, { onWarning: (_, message) => warnings.push(message) })
  disk.writeFault = 'ENOSPC'
  await writer.append(records('a', 1))
  const durable = log.durable(place, 1)
  await turns(5)
  for (let i = 0; i < 3; i++) clock.advance(1000)
  t.is(warnings.length, 1)
  t.regex(warnings[0]!, /cannot be written \(.*ENOSPC.*\); it is tried again every second/)
  disk.writeFault = undefined
  clock.advance(1000)
  await durable
  t.deepEqual(warnings.slice(1), ['the disk takes what is written again'])
})

test('the bytes that are written again are the same ones, though more has been appended', async (t) => {
  const { disk, clock, log, writer } = await faulty(t)
  await writer.append(records('a', 1))
  await log.durable(place, 1)
  disk.writes.length = 0
  disk.writeFault = 'ENOSPC'
  await writer.append(records('b', 1))
  await turns(5)
  await writer.append(records('c', 1))
  clock.advance(1000)
  t.is(disk.writes.length, 2)
  t.deepEqual(disk.writes[1], disk.writes[0]!)
  disk.writeFault = undefined
  clock.advance(1000)
  await log.durable(place, 3)
  await log.close()
})

test('while the disk takes nothing, appends are refused beyond the bound, and readers go on', async (t) => {
  const { disk, clock, log, writer } = await faulty(t, { waitingBytesMax: 300 })
  disk.writeFault = 'ENOSPC'
  await writer.append(records('a', 10))
  await turns(5)
  const error = await t.throwsAsync(writer.append(records('b', 1)), { code: 'PARCOMOLO_LOG_FULL' })
  t.like(error, { retryable: true })
  t.is((await takeUntil(log.reader([{ ...place, offset: 0 }], 'visible'), 10)).length, 10)
  disk.writeFault = undefined
  clock.advance(1000)
  await log.durable(place, 10)
  t.is(await writer.append(records('b', 1)), 10)
  await log.close()
})

test('while the disk is slow, appends beyond the bound wait for it', async (t) => {
  const { disk, log, writer } = await faulty(t, { waitingBytesMax: 300, syncBytesMax: 0 })
  disk.hold()
  await writer.append(records('a', 10))
  await turns(5)
  const waiting = writer.append(records('b', 1))
  t.false(await isSettled(waiting))
  disk.release()
  t.is(await waiting, 10)
  await log.close()
})

test('a failed sync is final: all who wait hear it, nothing more is taken', async (t) => {
  const { dir, disk, log, writer } = await faulty(t)
  await writer.append(records('a', 1))
  await log.durable(place, 1)
  disk.syncFault = 'EIO'
  const [visible, durable] = (['visible', 'durable'] as const).map((isolation) =>
    log.reader([{ ...place, offset: 1 }], isolation)
  )
  const ready = durable!.ready()
  await writer.append(records('b', 1))
  const failed = { code: 'PARCOMOLO_LOG_FAILED' }
  await t.throwsAsync(log.durable(place, 2), failed)
  await t.throwsAsync(ready, failed)
  await t.throwsAsync(visible!.ready(), failed)
  disk.syncFault = undefined
  await t.throwsAsync(writer.append(records('c', 1)), failed)
  await t.throwsAsync(log.durable(place, 2), failed)
  await t.throwsAsync((await log.claim(table)).append([record('a')]), failed)
  t.like(log.health(), { ok: false, ...failed })
  await t.throwsAsync(log.close(), failed)
  const again = await open({ dir })
  t.is(keysOf(await readAll(again, place))[0], 'a0')
  await again.close()
})

test('a folder that cannot be opened for want of descriptors is synced a second later', async (t) => {
  const { dir, disk, clock, log, writer } = await faulty(t)
  disk.folderFault = 'EMFILE'
  await writer.append(records('a', 1))
  const durable = log.durable(place, 1)
  t.false(await isSettled(durable))
  t.like(log.health(), { ok: false, code: 'PARCOMOLO_LOG_STALLED' })
  disk.folderFault = undefined
  clock.advance(1000)
  await durable
  t.deepEqual(log.health(), { ok: true })
  await log.close()
  const again = await open({ dir })
  t.deepEqual(keysOf(await readAll(again, place)), ['a0'])
  await again.close()
})

test('compacted topics wait for a descriptor that their thread needs, and go on', async (t) => {
  const script = join(import.meta.dirname, 'out-of-descriptors.ts')
  const command = `ulimit -n 80; exec "$0" "${script}" "${newFolder(t)}"`
  const said = execFileSync('sh', ['-c', command, process.execPath], { encoding: 'utf8' })
  t.is(said, 'stalled PARCOMOLO_LOG_STALLED\nappended 300\n')
})

test('a failed sync is as final in the thread pool, after a long write', async (t) => {
  const { disk, log, writer } = await faulty(t)
  const long = { ...record('long'), value: new Uint8Array(1_000_000) }
  await writer.append([long])
  await log.durable(place, 1)
  disk.writeFault = 'EIO'
  await writer.append([long])
  while (log.health().ok) await turns(1)
  t.like(log.health(), { code: 'PARCOMOLO_LOG_STALLED' })
  const [failed, durable] = [{ code: 'PARCOMOLO_LOG_FAILED' }, log.durable(place, 2)]
  disk.writeFault = undefined
  disk.syncFault = 'EIO'
  await Promise.all([t.throwsAsync(durable, failed), t.throwsAsync(log.close(), failed)])
})

test('compacted topics that can no longer be stored end the log', async (t) => {
  const { dir, log, writer } = await faulty(t)
  const tableWriter = await log.claim(table)
  const database = new DatabaseSync(join(dir, 'compacted.db'))
  database.exec('DROP TABLE record_1')
  database.close()
  const failed = { code: 'PARCOMOLO_LOG_FAILED' }
  await t.throwsAsync(tableWriter.append([record('a')]), failed)
  await t.throwsAsync(writer.append([record('a')]), failed)
  t.like(log.health(), { ok: false, ...failed })
})

test('close gives a full disk one more attempt, says that it failed, and lets the folder go', async (t) => {
  const { dir, disk, log, writer } = await faulty(t)
  disk.writeFault = 'ENOSPC'
  await writer.append(records('a', 1))
  await turns(5)
  await t.throwsAsync(log.close(), { code: 'PARCOMOLO_LOG_STALLED' })
  const again = await open({ dir })
  t.is(await again.end(place), 0)
  await again.close()
})

test('close writes what is still waiting', async (t) => {
  const { dir, log, writer } = await faulty(t)
  await writer.append(records('a', 1))
  await log.close()
  const again = await open({ dir })
  t.deepEqual(keysOf(await readAll(again, place)), ['a0'])
  await again.close()
})

test('what is not synced is visible, but not durable', async (t) => {
  const { disk, log, writer } = await faulty(t, { syncBytesMax: 0 })
  const [visible, durable] = (['visible', 'durable'] as const).map((isolation) =>
    log.reader([{ ...place, offset: 0 }], isolation)
  )
  await writer.append(records('a', 1))
  await log.durable(place, 1)
  disk.hold()
  await writer.append(records('b', 1))
  const second = log.durable(place, 2)
  t.deepEqual(keysOf(await takeUntil(visible!, 2)), ['a0', 'b0'])
  t.deepEqual(keysOf(await takeUntil(durable!, 1)), ['a0'])
  const ready = durable!.ready()
  t.false(await isSettled(Promise.race([second, ready])))
  t.deepEqual(durable!.take(1), [])
  disk.release()
  const third = log.durable(place, 3)
  await Promise.all([second, ready])
  t.false(await isSettled(third))
  t.deepEqual(keysOf(await takeUntil(durable!, 1)), ['b0'])
  await Promise.all([log.close(), t.throwsAsync(third, { code: 'PARCOMOLO_LOG_CLOSED' })])
})

test('a compacted batch waits until all that was appended before it is durable', async (t) => {
  const { disk, log, writer } = await faulty(t, { syncBytesMax: 0 })
  disk.hold()
  await writer.append(records('a', 1))
  await turns(5)
  await writer.append(records('b', 1))
  const appended = (await log.claim(table)).append([record('snapshot of b')])
  t.false(await isSettled(appended))
  t.is(await log.end(table), 0)
  disk.release()
  disk.hold()
  await log.durable(place, 1)
  t.false(await isSettled(appended))
  disk.release()
  t.is(await appended, 0)
  await log.durable(place, 2)
  await log.close()
})

test('the appends of one turn of the event loop share one sync', async (t) => {
  const { disk, log, writer } = await faulty(t)
  await Promise.all([writer.append(records('a', 1)), writer.append(records('b', 2)), writer.append(records('c', 1))])
  await log.durable(place, 4)
  t.is(disk.syncs, 1)
  t.like(log.stats(), { fsyncs: 1, batches: 3, records: 4 })
  await log.close()
})

test('an empty batch is refused', async (t) => {
  const { log, writer } = await faulty(t)
  await t.throwsAsync(writer.append([]), { code: 'PARCOMOLO_LOG_BATCH_REFUSED' })
  await log.close()
})

test('a batch beyond 32 MiB is refused and leaves nothing', async (t) => {
  const { log, writer } = await faulty(t)
  const big = { ...record('big'), value: new Uint8Array(32 * 1024 * 1024) }
  await t.throwsAsync(writer.append([record('small'), big]), { code: 'PARCOMOLO_LOG_BATCH_REFUSED' })
  t.is(await writer.append(records('a', 1)), 0)
  await log.durable(place, 1)
  t.deepEqual(keysOf(await readAll(log, place)), ['a0'])
  await log.close()
})

test('a data folder that is a file, or within one, is refused with its path', async (t) => {
  const file = join(newFolder(t), 'file')
  writeFileSync(file, '')
  for (const dir of [file, join(file, 'within')]) {
    const error = await t.throwsAsync(openEmbeddedLog({ dir }), { code: 'PARCOMOLO_LOG_DATA_UNUSABLE' })
    t.true(error?.message.includes(`'${dir}'`))
  }
})

/** A real file system of this size; undefined, with the reason printed, where the test may not mount one. */
const smallDisk = (t: ExecutionContext, size: string): string | undefined => {
  const dir = newFolder(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    t.log(`skipped, as no file system can be mounted: ${(error as Error).message.trim()}`)
    t.pass()
    return undefined
  }
  t.teardown(() => execFileSync('umount', ['-l', dir]))
  return dir
}

const bulk: Record<string, readonly LogRecord[]> = {
  'one record': [{ ...record('big'), value: Buffer.alloc(50_000, 'x') }],
  'many records': Array.from({ length: 300 }, (_, i) => ({ ...record(`big${i}`), value: Buffer.alloc(200, 'x') }))
}

for (const [title, batch] of Object.entries(bulk)) {
  test(`a really full disk stalls all topics, and they go on by themselves: ${title}`, async (t) => {
    const disk = smallDisk(t, '1m')
    if (disk === undefined) return
    const clock = new VirtualClock(0)
    const log = await open({ dir: join(disk, 'data'), clock })
    const [writer, tableWriter] = [await log.claim(place), await log.claim(table)]
    const filler = join(disk, 'filler')
    t.throws(() => writeFileSync(filler, Buffer.alloc(2 * 1024 * 1024)), { code: 'ENOSPC' })
    const stored = tableWriter.append(batch)
    while (log.health().ok) await turns(1)
    t.like(log.health(), { ok: false, code: 'PARCOMOLO_LOG_STALLED' })
    await writer.append(batch)
    const durable = log.durable(place, batch.length)
    t.false(await isSettled(Promise.race([durable, stored])))
    rmSync(filler)
    clock.advance(1000)
    await durable
    t.is(await stored, 0)
    t.deepEqual(log.health(), { ok: true })
    await log.close()
    const again = await open({ dir: join(disk, 'data') })
    t.deepEqual(
      keysOf(await readAll(again, place)),
      batch.map(({ key }) => key)
    )
    t.deepEqual(
      keysOf(await readAll(again, table)),
      batch.map(({ key }) => key)
    )
    await again.close()
  })
}

test('a read-only data folder is refused with its path', async (t) => {
  const disk = smallDisk(t, '1m')
  if (disk === undefined) return
  const dir = join(disk, 'data')
  mkdirSync(dir)
  execFileSync('mount', ['-o', 'remount,ro', disk])
  const error = await t.throwsAsync(openEmbeddedLog({ dir }), { code: 'PARCOMOLO_LOG_DATA_UNUSABLE' })
  t.true(error?.message.includes(`'${dir}'`) && error.message.includes('EROFS'))
  await t.throwsAsync(openEmbeddedLog({ dir: join(disk, 'new') }), { code: 'PARCOMOLO_LOG_DATA_UNUSABLE' })
})

test('a data folder where the system lets nobody make one is refused at once', async (t) => {
  const error = await t.throwsAsync(openEmbeddedLog({ dir: '/proc/parcomolo/log' }), {
    code: 'PARCOMOLO_LOG_DATA_UNUSABLE'
  })
  t.regex(error.message, /'\/proc\/parcomolo\/log' cannot be used/)
})
