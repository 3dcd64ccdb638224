import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { LogSnapshots, snapshotsTopic } from '../../src/view/log-snapshots.ts'
import type { StoreCopy } from '../../src/view/snapshots.ts'
import { restoreFile } from '../../src/view/sqlite/index.ts'

const blockBytes = 1024
const topic = snapshotsTopic.topic
const goOn = new AbortController().signal

const withLog = async (run: (log: Log, dir: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-snapshots-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics([snapshotsTopic])
  try {
    await run(log, dir)
  } finally {
    await log.close()
    await rm(dir, { recursive: true })
  }
}

const snapshotsIn = (log: Log, layout = 1): LogSnapshots => new LogSnapshots(log, layout, blockBytes)

/** A store of these bytes, folded up to `next`. */
const copyOf = (bytes: Buffer, next: number, onRead: (at: number) => unknown = () => undefined): StoreCopy => ({
  positions: new Map([['order-events/0', { next, key: 'k', timestamp: 5 }]]),
  bytes: bytes.length,
  read: async (at, length) => {
    await onRead(at)
    return bytes.subarray(at, at + length)
  },
  release: async () => undefined
})

const loaded = async (snapshots: LogSnapshots): Promise<Buffer | string> => {
  const newest = await snapshots.newest()
  if (newest === undefined) return 'there is none'
  const bytes = Buffer.alloc(newest.bytes)
  return (await snapshots.load(newest, async (at, block) => bytes.set(block, at))) ?? bytes
}

const changedAt = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed[at]! ^= 1
  return changed
}

test('what was saved last is loaded as it was, with its positions', async (t) => {
  await withLog(async (log) => {
    const snapshots = snapshotsIn(log)
    t.is(await loaded(snapshots), 'there is none')
    const bytes = randomBytes(20 * blockBytes + 7)
    t.true(await snapshots.save(copyOf(bytes, 3), goOn))
    t.deepEqual(await loaded(snapshotsIn(log)), bytes)
    t.deepEqual((await snapshots.newest())?.positions, copyOf(bytes, 3).positions)
    const grown = Buffer.concat([changedAt(bytes, 5), randomBytes(3 * blockBytes)])
    t.true(await snapshotsIn(log).save(copyOf(grown, 4), goOn))
    t.deepEqual(await loaded(snapshots), grown)
    const shrunk = grown.subarray(0, 2 * blockBytes)
    t.true(await snapshots.save(copyOf(shrunk, 5), goOn))
    t.deepEqual(await loaded(snapshots), shrunk)
  })
})

test('only the blocks that have changed are written again', async (t) => {
  await withLog(async (log) => {
    const snapshots = snapshotsIn(log)
    const bytes = randomBytes(50 * blockBytes)
    await snapshots.save(copyOf(bytes, 3), goOn)
    const end = await log.end({ topic, partition: 1 })
    await snapshots.save(copyOf(changedAt(changedAt(bytes, 9), 40 * blockBytes), 4), goOn)
    t.is((await log.end({ topic, partition: 1 })) - end, 3, 'a fence and two blocks')
  })
})

test('a save that is broken off leaves the copy before, and the next one is whole', async (t) => {
  await withLog(async (log) => {
    const snapshots = snapshotsIn(log)
    const [first, second, third] = [
      randomBytes(40 * blockBytes),
      randomBytes(40 * blockBytes),
      randomBytes(45 * blockBytes)
    ]
    await snapshots.save(copyOf(first, 1), goOn)
    const stop = new AbortController()
    const dying = copyOf(second, 2, (at) => (at > 20 * blockBytes ? stop.abort(new Error('killed')) : undefined))
    await t.throwsAsync(snapshots.save(dying, stop.signal), { message: 'killed' })
    t.deepEqual(await loaded(snapshotsIn(log)), first)
    t.true(await snapshotsIn(log).save(copyOf(third, 3), goOn))
    t.deepEqual(await loaded(snapshotsIn(log)), third)
  })
})

test('of two that save at once one succeeds, and nothing of the other is seen', async (t) => {
  await withLog(async (log) => {
    const [mine, other] = [randomBytes(40 * blockBytes), randomBytes(40 * blockBytes)]
    await snapshotsIn(log).save(copyOf(randomBytes(40 * blockBytes), 1), goOn)
    const slow = copyOf(mine, 2, async (at) => {
      if (at === 20 * blockBytes) t.true(await snapshotsIn(log).save(copyOf(other, 3), goOn))
    })
    t.false(await snapshotsIn(log).save(slow, goOn))
    t.deepEqual(await loaded(snapshotsIn(log)), other)
  })
})

test('copies of another layout are not seen; of a newer one they stay, of an older one they go', async (t) => {
  await withLog(async (log) => {
    const [older, newer] = [randomBytes(3 * blockBytes), randomBytes(3 * blockBytes)]
    await snapshotsIn(log, 2).save(copyOf(newer, 1), goOn)
    t.is(await snapshotsIn(log, 1).newest(), undefined)
    for (let i = 0; i < 20; i++) await snapshotsIn(log, 1).save(copyOf(older, 2 + i), goOn)
    t.deepEqual(await loaded(snapshotsIn(log, 1)), older)
    t.deepEqual(await loaded(snapshotsIn(log, 2)), newer)
    await snapshotsIn(log, 2).save(copyOf(newer, 30), goOn)
    t.is(await snapshotsIn(log, 1).newest(), undefined)
    const keys = [0, 1, 2].flatMap((index) => [`1/${index}/0`, `1/${index}/1`])
    t.is((await log.lookup({ topic, partition: 1 }, keys)).size, 0)
    t.deepEqual(await loaded(snapshotsIn(log, 2)), newer)
  })
})

/** The log, of which some records of the blocks are read otherwise; without them where it gives undefined. */
const spoilt = (log: Log, spoil: (value: Uint8Array) => Uint8Array | undefined): Log =>
  new Proxy(log, {
    get: (_, name) => {
      if (name === 'read')
        return async function* (...args: Parameters<Log['read']>) {
          for await (const records of log.read(...args))
            yield args[0].partition === 0
              ? records
              : records.flatMap((record) => {
                  const value = record.offset === 5 ? spoil(record.value!) : record.value
                  return value === undefined ? [] : [{ ...record, value }]
                })
        }
      const member: unknown = Reflect.get(log, name)
      return typeof member === 'function' ? (member.bind(log) as unknown) : member
    }
  })

test('a copy with a block that is damaged or gone says so, and leaves no file', async (t) => {
  await withLog(async (log, dir) => {
    const path = join(dir, 'view.sqlite')
    await snapshotsIn(log).save(copyOf(randomBytes(20 * blockBytes), 3), goOn)
    const restored = async (spoil: (value: Uint8Array) => Uint8Array | undefined): Promise<string | undefined> => {
      const snapshots = snapshotsIn(spoilt(log, spoil))
      return restoreFile(path, snapshots, (await snapshots.newest())!)
    }
    t.is(await restored(() => undefined), '1 of its blocks are gone')
    t.is(await restored((value) => changedAt(Buffer.from(value), value.length - 1)), 'block 4 is damaged')
    t.is(await restored((value) => value.subarray(0, 3)), 'block 4 is damaged')
    await t.throwsAsync(stat(path))
    await t.throwsAsync(stat(`${path}-loading`))
    t.is(await restored((value) => value), undefined)
    t.is((await stat(path)).size, 20 * blockBytes)
  })
})

test('a disk that takes no more ends a load', async (t) => {
  await withLog(async (log) => {
    const snapshots = snapshotsIn(log)
    await snapshots.save(copyOf(randomBytes(40 * blockBytes), 3), goOn)
    const full = async (at: number): Promise<void> => {
      if (at > 10 * blockBytes) throw new Error('no space left')
    }
    await t.throwsAsync(snapshots.load((await snapshots.newest())!, full), { message: 'no space left' })
  })
})
