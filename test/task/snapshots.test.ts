import test, { type ExecutionContext } from 'ava'
import { Budget, ParcomoloError } from '../../src/base/index.ts'
import type { Log } from '../../src/log/index.ts'
import { cellBytes } from '../../src/task/cell.ts'
import { inbox, journal, notes, replaced, Stage, targetInbox, until, waitFor } from './stage.ts'
import { type Appended, bytesOf, watched } from './watched-log.ts'

const mebibyte = 1024 * 1024
const snapshots = { topic: 'a-snapshots', partition: 0 }
const never = { snapshotEveryMs: 1e12, inputsPerSnapshot: 1e12, bytesPerSnapshot: 1e12, bytesLeftAtStop: 1e12 }

/** The log, and from where on each start has read the journal. */
const observed = (log: Log) => {
  const starts: number[] = []
  const read: Log['read'] = (place, from, to) => {
    if (place.topic === journal.topic) starts.push(from)
    return log.read(place, from, to)
  }
  return { starts, log: replaced(log, { read }) }
}

/** Starts a task that takes no snapshot, and gives from where on it had to read. */
const startsReadingAt = async (stage: Stage): Promise<number> => {
  const { starts, log } = observed(stage.log)
  const task = await stage.task(never, { log })
  await task.stop()
  return starts[0]!
}

test('snapshots and archive are written in batches of bounded size', async (t) => {
  const stage = await Stage.open(t)
  await notes(stage, 600, 20_000)
  for (let i = 0; i < 300; i++) await stage.tell('Close', { name: `n${i}` })
  const { log, batches } = watched(stage.log)
  const task = await stage.task({ bytesPerSnapshot: 1e12 }, { log })
  await until(stage, () => task.stats.snapshots > 0 && task.entityCount === 300)
  await task.stop()
  for (const topic of ['a-snapshots', 'a-archive']) {
    const written = batches(topic)
    t.true(Math.max(...written.map(bytesOf)) < 1.1 * mebibyte, topic)
    t.true(written.reduce((sum, batch) => sum + bytesOf(batch), 0) > 5 * mebibyte, topic)
  }
  t.deepEqual(stage.failures, [])
})

test('what is too large for a snapshot is told once, and a start reads from the marker before', async (t) => {
  const stage = await Stage.open(t)
  const told: unknown[] = []
  const onTooLarge = (component: string, key: string, error: unknown) => told.push([component, key, error])
  const limits = { ...never, snapshotEveryMs: 1000 }
  const first = await stage.task(limits, { onTooLarge })
  await stage.tell('Add', { name: 'x', amount: 1 })
  await until(stage, () => first.stats.snapshots === 1)
  // Each of them is two in JSON.
  await stage.tell('Note', { name: 'large', text: '\n'.repeat(8 * mebibyte) })
  await stage.tell('Add', { name: 'x', amount: 2 })
  await until(stage, () => told.length > 0)
  stage.clock.advance(2000)
  await stage.tell('Add', { name: 'x', amount: 3 })
  await stage.events('Added', 3)
  stage.clock.advance(2000)
  await first.stop()
  t.like(told, [['a', 'large', { code: 'PARCOMOLO_TASK_ENTITY_TOO_LARGE' }]])
  t.regex(
    String((told[0] as unknown[])[2]),
    /what is kept of 'large' has '167\d{5}' bytes; expected at most '15466496'/
  )
  t.is(first.stats.snapshots, 1)
  t.is(await startsReadingAt(stage), 2)
  const second = await stage.task(limits)
  t.like(second.entity('x'), { sum: 6 })
  t.is(second.entity('large')?.note.length, 8 * mebibyte)
  await stage.tell('Note', { name: 'large', text: 'small' })
  await until(stage, () => second.stats.snapshots === 1)
  const end = await stage.log.end(journal)
  await second.stop()
  t.is(await startsReadingAt(stage), end)
  t.deepEqual(stage.failures, [])
})

/** A journal of some 100 KB with no snapshot. */
const longTail = async (t: ExecutionContext): Promise<Stage> => {
  const stage = await Stage.open(t)
  const task = await stage.task(never)
  await notes(stage, 100, 1000)
  await stage.events('Noted', 100)
  await task.stop()
  return stage
}

test('a start that had much to read leaves a snapshot, though nothing comes', async (t) => {
  const stage = await longTail(t)
  const second = await stage.task({ ...never, bytesPerSnapshot: 50_000 })
  await second.stop()
  t.is(await startsReadingAt(stage), (await stage.log.end(journal)) - 2, 'the fences of both')
  t.deepEqual(stage.failures, [])
})

test('where only the marker of a snapshot is missing, a start that had much to read writes it', async (t) => {
  const stage = await longTail(t)
  const isMarker = (appended: readonly Appended[]): boolean => appended.at(-1)!.records[0]!.key === 'marker'
  const limits = { ...never, bytesPerSnapshot: 50_000 }
  await t.throwsAsync(stage.task(limits, { log: watched(stage.log, isMarker).log }), { message: 'crash' })
  t.is(await startsReadingAt(stage), 0)
  const third = await stage.task(limits)
  t.is(third.entityCount, 100)
  await third.stop()
  t.is(await startsReadingAt(stage), (await stage.log.end(journal)) - 2, 'the fences of both')
})

test('a start with no snapshot and much to read writes some on its way, and keeps what lives in memory', async (t) => {
  const stage = await longTail(t)
  for (let i = 0; i < 90; i++) await stage.tell('Close', { name: `n${i}` })
  const first = await stage.task(never)
  await stage.events('Closed', 90)
  await first.stop()
  const end = await stage.log.end(journal)
  const second = await stage.task({ ...never, bytesPerSnapshot: 3000 }, { log: inChunks(stage.log, 10) })
  t.true(second.entityCount <= 30, String(second.entityCount))
  await second.stop()
  t.true((await startsReadingAt(stage)) > end - 20)
  const third = await stage.task(never)
  await stage.tell('Add', { name: 'n1', amount: 1 })
  await stage.tell('Add', { name: 'n95', amount: 1 })
  await stage.events('Added', 1)
  t.deepEqual([third.entity('n1')?.closed, third.entity('n1')?.note.length], [true, 1000])
  t.deepEqual([third.entity('n95')?.sum, third.entity('n95')?.note.length], [1, 1000])
  await third.stop()
  t.deepEqual(stage.failures, [])
})

test('a start that does not get to the end begins farther on the next time', async (t) => {
  const stage = await longTail(t)
  const crash = async function* (...args: Parameters<Log['read']>) {
    for await (const records of inChunks(stage.log, 10).read(...args)) {
      if (records.at(-1)!.offset > 70) throw new Error('crash')
      yield records
    }
  }
  const limits = { ...never, bytesPerSnapshot: 20_000 }
  await t.throwsAsync(stage.task(limits, { log: replaced(stage.log, { read: crash }) }), { message: 'crash' })
  const from = await startsReadingAt(stage)
  t.true(from >= 40 && from <= 70, String(from))
  const third = await stage.task(never)
  t.is(third.entityCount, 100)
  await third.stop()
})

test('what a task writes itself makes a snapshot due by its bytes', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ ...never, bytesPerSnapshot: 50_000 })
  await notes(stage, 40, 1000)
  await stage.events('Noted', 40)
  t.is(task.stats.snapshots, 0)
  await notes(stage, 40, 1000)
  await waitUntil(() => task.stats.snapshots === 1)
  await task.stop()
  t.deepEqual(stage.failures, [])
})

test('an orderly stop leaves little to read: what is too much goes into a snapshot before', async (t) => {
  const stage = await longTail(t)
  const second = await stage.task({ ...never, bytesLeftAtStop: 10_000 })
  const end = await stage.log.end(journal)
  await second.stop()
  t.is(second.stats.snapshots, 1)
  t.is(await startsReadingAt(stage), end)
  const third = await stage.task({ ...never, bytesLeftAtStop: 10_000 })
  t.is(third.entityCount, 100)
  await third.stop()
  t.is(third.stats.snapshots, 0)
  t.deepEqual(stage.failures, [])
})

test('a snapshot that is being written at an orderly stop is finished', async (t) => {
  const stage = await longTail(t)
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const durable: Log['durable'] = (place, offset) => {
    begun.resolve()
    return gate.promise.then(() => stage.log.durable(place, offset))
  }
  const limits = { ...never, inputsPerSnapshot: 1, bytesLeftAtStop: 10_000, batchBytesAim: 20_000 }
  const second = await stage.task(limits, { log: replaced(stage.log, { durable }) })
  await stage.tell('Add', { name: 'n1', amount: 1 })
  await begun.promise
  const end = await stage.log.end(journal)
  const stopped = second.stop()
  gate.resolve()
  await stopped
  t.is(second.stats.snapshots, 1)
  t.is(await startsReadingAt(stage), end)
})

test('a stop does not wait for ever for a log that takes no snapshot', async (t) => {
  const stage = await longTail(t)
  const asked = Promise.withResolvers<void>()
  const durable: Log['durable'] = () => {
    asked.resolve()
    return new Promise(() => undefined)
  }
  const second = await stage.task({ ...never, bytesLeftAtStop: 10_000 }, { log: replaced(stage.log, { durable }) })
  const stopped = second.stop()
  await asked.promise
  stage.clock.advance(10_000)
  await stopped
  t.is(second.stats.snapshots, 0)
  t.is(await startsReadingAt(stage), 0)
})

test('a task that was fenced, or has failed, leaves no snapshot', async (t) => {
  const stage = await longTail(t)
  const fenced = Promise.withResolvers<unknown>()
  const second = await stage.task({ ...never, bytesLeftAtStop: 0 }, { onFailure: fenced.resolve })
  const third = await stage.task(never)
  await stage.tell('Add', { name: 'x', amount: 1 })
  t.like(await fenced.promise, { code: 'PARCOMOLO_LOG_FENCED' })
  await second.stop()
  await third.stop()
  t.false((await stage.all(snapshots)).some(({ key }) => key === 'marker'))
})

test('a stop that ends the wait for the dead letters leaves no snapshot, which would pass the record', async (t) => {
  const stage = await longTail(t)
  const asked = Promise.withResolvers<void>()
  const send: Log['send'] = (records) => {
    if (records[0]!.topic !== 'dead-letters') return stage.log.send(records)
    asked.resolve()
    return Promise.reject(new ParcomoloError('PARCOMOLO_LOG_FULL', 'the disk is full', { retryable: true }))
  }
  const second = await stage.task({ ...never, bytesLeftAtStop: 0 }, { log: replaced(stage.log, { send }) })
  await stage.log.send([{ ...inbox, key: 'x', value: Buffer.from('no avro'), timestamp: 0, headers: {} }])
  await asked.promise
  await second.stop()
  t.is(second.stats.snapshots, 0)
  const third = await stage.task(never)
  await until(stage, () => stage.poison.length === 1)
  await third.stop()
  t.deepEqual(stage.failures, [])
})

test('markers that no command follows do not hold back where a start begins to read', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ ...never, snapshotEveryMs: 1000, idlePositionsMax: 1 })
  await stage.tell('Tell', { name: 'x', amount: 4 })
  await stage.tell('Close', { name: 'y' })
  await stage.events('Closed', 1)
  for (let i = 0; i < 3; i++) {
    await stage.tell('Add', { name: 'y', amount: 1 })
    await until(stage, () => task.stats.inputs === 3 + i)
  }
  await until(stage, () => task.stats.snapshots > 0)
  await task.stop()
  const [marker] = (await stage.all(snapshots)).filter(({ key }) => key === 'marker').slice(-1)
  const { offset, forwarded } = JSON.parse(Buffer.from(marker!.value!).toString()) as Record<string, number>
  t.is(forwarded, offset)
})

/** The log, whose journal is read in chunks of so many records. */
const inChunks = (log: Log, size: number): Log => {
  const read = async function* (...[place, from, to]: Parameters<Log['read']>) {
    for await (const records of log.read(place, from, to))
      for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size)
  }
  return replaced(log, { read })
}

/** Waits by turns of the event loop, while the clock stands still. */
const waitUntil = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

test('a start after a snapshot sends again what an inbox did not take, and reads nothing else', async (t) => {
  const stage = await Stage.open(t)
  const send: Log['send'] = (records) =>
    records[0]!.topic === targetInbox.topic ? new Promise(() => undefined) : stage.log.send(records)
  const first = await stage.task({ snapshotEveryMs: 1000 }, { log: replaced(stage.log, { send }) })
  await stage.tell('Tell', { name: 'x', amount: 1 })
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  stage.clock.advance(1000)
  await until(stage, () => first.stats.snapshots === 1)
  await first.stop()
  const reads: string[] = []
  const read: Log['read'] = (place, from, to) => {
    if (place.topic === journal.topic) reads.push(`${from} to ${to}`)
    return stage.log.read(place, from, to)
  }
  const second = await stage.task({}, { log: replaced(stage.log, { read }) })
  const [command] = await waitFor(stage, targetInbox, 1)
  t.is(command!.headers['ce_sequence'], '1')
  t.deepEqual(reads, ['1 to 2', '3 to 3'])
  await second.stop()
})

test('where memory is short, what has ended leaves at once, and what is busy is not written (S2)', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ snapshotEveryMs: 60_000 }, { living: new Budget(0, 4 * cellBytes) })
  for (let i = 0; i < 30; i++) await stage.tell('Close', { name: `n${i}` })
  await stage.events('Closed', 30)
  await stage.tell('Add', { name: 'busy', amount: 1 })
  await stage.events('Added', 1)
  await until(stage, () => task.entityCount <= 4)
  t.is(task.stats.snapshots, 0)
  t.is(task.entity('busy')?.sum, 1)
  const live = (await stage.all({ topic: 'a-snapshots', partition: 0 })).filter(({ value }) => value !== null)
  t.deepEqual(live, [])
  await stage.tell('Add', { name: 'n7', amount: 1 })
  await until(stage, () => task.stats.inputs === 32)
  t.is(task.entity('n7')?.closed, true, 'it is asked for in the archive')
  await task.stop()
  t.deepEqual(stage.failures, [])
})
