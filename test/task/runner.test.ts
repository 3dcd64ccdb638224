import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log, StoredRecord } from '../../src/log/index.ts'
import { type Runner, runComponent, type TaskDeps, topicsOf } from '../../src/task/index.ts'
import { counterComponent } from './counter.ts'
import { codec, fullNameOf, replaced, Stage, until } from './stage.ts'

const partitions = 6
const places = Array.from({ length: partitions }, (_, partition) => ({ topic: 'c-events', partition }))

/** Writes so many events to each partition of the component `c`, with none of its tasks at work. */
const journaled = async (stage: Stage, counts: readonly number[]): Promise<void> => {
  await stage.log.ensureTopics(topicsOf({ name: 'c', journal: 'c-events', inbox: 'c-commands' }, partitions))
  for (const [partition, count] of counts.entries()) {
    const writer = await stage.log.claim(places[partition]!)
    const value = codec.encode(fullNameOf('Added'), { name: `p${partition}`, amount: 1 })
    for (let i = 0; i < count; i++) await writer.append([{ key: 'x', value, timestamp: 0, headers: {} }])
  }
}

const run = (stage: Stage, overrides: Partial<TaskDeps>): Runner =>
  runComponent(counterComponent('c'), stage.deps(overrides))

/** The log, where the reading of a journal goes on only when it is let: with the partitions that are being read. */
const gated = (log: Log) => {
  const begun: number[] = []
  const open = new Map<number, () => void>()
  const read = async function* (
    ...[place, from, to]: Parameters<Log['read']>
  ): AsyncGenerator<readonly StoredRecord[]> {
    if (place.topic === 'c-events') {
      begun.push(place.partition)
      await new Promise<void>((resolve) => open.set(place.partition, resolve))
    }
    yield* log.read(place, from, to)
  }
  const letOn = (partition: number): void => {
    open.get(partition)!()
    open.delete(partition)
  }
  return { begun, open, letOn, log: replaced(log, { read }) }
}

test('partitions are recovered a few at a time, those with the least to read first', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage, [60, 50, 40, 30, 20, 10])
  const { begun, open, letOn, log } = gated(stage.log)
  const runner = run(stage, { log })
  await until(stage, () => begun.length === 3)
  t.deepEqual(begun, [5, 4, 3])
  letOn(4)
  await until(stage, () => begun.length === 4)
  t.deepEqual(begun.slice(3), [2])
  while (begun.length < partitions) {
    letOn([...open.keys()][0]!)
    const before = begun.length
    await until(stage, () => begun.length > before)
    t.is(open.size, 3)
  }
  for (const partition of [...open.keys()]) letOn(partition)
  await runner.ready
  t.deepEqual(
    places.map(({ partition }) => runner.tasks.get(`c-events/${partition}`)?.entityCount),
    places.map(() => 1)
  )
  await runner.stop()
  t.deepEqual(stage.failures, [])
})

test('what stands in a snapshot need not be read, however long the journal is', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage, [60, 50, 40, 30, 20, 10])
  const first = run(stage, { limits: { snapshotEveryMs: 10 } })
  await first.ready
  await until(stage, () => [...first.tasks.values()].every(({ stats }) => stats.snapshots > 0))
  await first.stop()
  // Each has a marker at its end by now; what is written after it is to be read.
  await journaled(stage, [0, 1, 2, 3, 4, 5])
  const { begun, open, letOn, log } = gated(stage.log)
  const second = run(stage, { log })
  for (let count = 0; count < partitions; count++) {
    await until(stage, () => begun.length > count && open.size > 0)
    letOn(begun[count]!)
  }
  await second.ready
  t.deepEqual(begun, [0, 1, 2, 3, 4, 5])
  await second.stop()
})

test('partitions that wait for the registry give their turn to others', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage, [1, 1, 1, 9, 9, 9])
  const away = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  const held = new Set<string>()
  let isAway = true
  const learn = (values: Iterable<Uint8Array | null>): Promise<void> | undefined => {
    const names = [...values].map((value) => String(codec.decode(value!).value['name']))
    return isAway && ['p0', 'p1', 'p2'].some((name) => names.includes(name)) ? Promise.reject(away) : undefined
  }
  const runner = run(stage, { learn, onHeldUp: (task, error) => (error ? held.add(task) : held.delete(task)) })
  const atWork = (partition: number): boolean => runner.tasks.get(`c-events/${partition}`)?.entityCount === 1
  await until(stage, () => [3, 4, 5].every(atWork))
  t.deepEqual([...held].toSorted(), ['c-events/0', 'c-events/1', 'c-events/2'])
  t.false([0, 1, 2].some(atWork))
  isAway = false
  await until(stage, () => [0, 1, 2].every(atWork))
  await runner.ready
  await runner.stop()
  t.deepEqual(stage.failures, [])
})

test('a stop ends the wait for a turn, and what is being read is not read to its end', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage, [60, 50, 40, 30, 20, 10])
  const { begun, open, letOn, log } = gated(stage.log)
  const runner = run(stage, { log })
  await until(stage, () => begun.length === 3)
  const stopped = runner.stop()
  for (const partition of [...open.keys()]) letOn(partition)
  await stopped
  t.deepEqual(begun, [5, 4, 3])
  t.deepEqual(
    [...runner.tasks.values()].map(({ entityCount }) => entityCount),
    places.map(() => 0)
  )
  t.deepEqual(stage.failures, [])
})

test('a task that fails in its start ends the wait for all, though others wait for the registry', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage, [1, 1, 0, 0, 0, 0])
  const away = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  const lost = new ParcomoloError('PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA', 'the registry has lost it')
  const held = Promise.withResolvers<void>()
  const learn = (values: Iterable<Uint8Array | null>): Promise<void> | undefined => {
    const names = [...values].map((value) => String(codec.decode(value!).value['name']))
    if (names.includes('p1')) return Promise.reject(away)
    return names.includes('p0') ? held.promise.then(() => Promise.reject(lost)) : undefined
  }
  const runner = run(stage, { learn, onHeldUp: () => held.resolve() })
  await t.throwsAsync(runner.ready, { is: lost })
  await runner.stop()
  t.deepEqual(stage.failures, [lost])
})
