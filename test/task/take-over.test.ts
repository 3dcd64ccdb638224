import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { learnSchemas, makeCodec, readProtocolText } from '../../src/contract/index.ts'
import type { Log, TopicPartition } from '../../src/log/index.ts'
import { runComponent, Task, type TaskDeps, topicsOf } from '../../src/task/index.ts'
import { counterComponent } from './counter.ts'
import { journal, newCodec, replaced, Stage, until } from './stage.ts'

/** `Added` as a version has written it that this one knows only from the registry. */
const old = readProtocolText(
  '@namespace("test.counter") protocol Counter { record Added { string name; int amount; } }'
)
const [id, oldAdded] = [99, old.records.get('Added')!]
const added = makeCodec([{ ...oldAdded, id }]).encode(oldAdded.fullName, { name: 'x', amount: 5 })

/** A registry that cannot be reached while `isAway`, for a process that has just started. */
const registry = () => {
  const codec = newCodec()
  const held: [string, unknown][] = []
  const state = { isAway: true, asked: 0 }
  const schema = async () => {
    state.asked++
    if (!state.isAway) return oldAdded.schema
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  }
  const deps: Pick<TaskDeps, 'codec' | 'learn' | 'onHeldUp'> = {
    codec,
    learn: (values) => learnSchemas(codec, { schema }, values),
    onHeldUp: (task, error) => held.push([task, error])
  }
  return { state, held, deps }
}

const journaled = async (log: Log, place: TopicPartition): Promise<void> => {
  const writer = await log.claim(place)
  await writer.append([{ key: 'x', value: added, timestamp: 0, headers: {} }])
}

test('a take-over waits while the registry cannot be reached, says so once, and goes on', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage.log, journal)
  const { state, held, deps } = registry()
  const starting = stage.task({}, deps)
  await until(stage, () => state.asked > 3)
  t.like(held, [['a-events/0', { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' }]])
  state.isAway = false
  await until(stage, () => held.length > 1)
  t.deepEqual(held[1], ['a-events/0', undefined])
  const task = await starting
  t.is(task.entity('x')?.sum, 5)
  await stage.tell('Add', { name: 'x', amount: 2 })
  await until(stage, () => task.entity('x')?.sum === 7)
  await task.stop()
  t.deepEqual(stage.failures, [])
})

test('a stop ends the wait of a take-over, and nothing is written after its fence', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage.log, journal)
  await stage.tell('Add', { name: 'x', amount: 2 })
  const { held, deps } = registry()
  const task = stage.newTask(deps)
  const starting = task.start()
  await until(stage, () => held.length > 0)
  await task.stop()
  await starting
  t.is(await stage.log.end(journal), 2)
  t.deepEqual(stage.failures, [])
})

test('a stop ends the wait for what the component has yet to hear', async (t) => {
  const stage = await Stage.open(t)
  const asked = Promise.withResolvers<void>()
  const caughtUp = (): Promise<void> => {
    asked.resolve()
    return new Promise(() => undefined)
  }
  const task = new Task({ ...counterComponent('a'), caughtUp }, journal, stage.deps({}))
  const starting = task.start()
  await asked.promise
  await task.stop()
  await starting
  t.is(await stage.log.end(journal), 1)
})

test('a registry that fails for good ends the take-over', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage.log, journal)
  const refused = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'the credentials are refused')
  await t.throwsAsync(stage.task({}, { ...registry().deps, learn: () => Promise.reject(refused) }), { is: refused })
})

/** Two partitions, of which the first holds up whoever takes it over; `assign` is what the group says. */
const component = async (stage: Stage) => {
  const places = [0, 1].map((partition) => ({ topic: 'c-events', partition }))
  await stage.log.ensureTopics(topicsOf({ name: 'c', journal: 'c-events', inbox: 'c-commands' }, 2))
  await journaled(stage.log, places[0]!)
  const group = { assign: (_: readonly TopicPartition[]): void => undefined, hasLeft: false }
  const join: Log['join'] = async (_group, _places, onAssignment) => {
    group.assign = onAssignment
    onAssignment([places[0]!])
    const leave = async (): Promise<void> => void (group.hasLeft = true)
    return { confirm: async () => undefined, report: () => undefined, leave }
  }
  const { state, held, deps } = registry()
  const log = replaced(stage.log, { join })
  const runner = runComponent(counterComponent('c'), stage.deps({ ...deps, log }))
  await until(stage, () => held.length > 0)
  return { places, group, state, runner }
}

test('a component whose take-over waits can be stopped', async (t) => {
  const stage = await Stage.open(t)
  const { group, runner } = await component(stage)
  await runner.stop()
  t.true(group.hasLeft)
  t.deepEqual(stage.failures, [])
})

test('a partition that is lost while its take-over waits holds up no other, and may come back', async (t) => {
  const stage = await Stage.open(t)
  const { places, group, state, runner } = await component(stage)
  group.assign([places[1]!])
  group.assign([])
  group.assign([places[1]!])
  await runner.ready
  t.deepEqual([...runner.tasks.keys()], ['c-events/1'])
  group.assign(places)
  await until(stage, () => state.asked > 3)
  state.isAway = false
  await until(stage, () => runner.tasks.get('c-events/0')?.entityCount === 1)
  await runner.stop()
  t.is(await stage.log.end(places[0]!), 3, 'two fences')
  t.deepEqual(stage.failures, [])
})

test('what an entity from the archive keeps is learnt before anything is decided on it', async (t) => {
  const stage = await Stage.open(t)
  const { state, held, deps } = registry()
  const component = { ...counterComponent('a'), keeps: () => [added] }
  const task = new Task(component, journal, stage.deps({ ...deps, limits: { inputsPerSnapshot: 1 } }))
  await task.start()
  await stage.tell('Close', { name: 'x' })
  await until(stage, () => task.stats.snapshots > 0 && task.entityCount === 0)
  t.is(state.asked, 0)
  const end = await stage.log.end(journal)
  await stage.tell('RingAt', { name: 'x', at: 0 })
  await until(stage, () => state.asked > 3)
  t.is(await stage.log.end(journal), end)
  state.isAway = false
  await until(stage, () => held.length === 2)
  await stage.events('AlarmSet', 1)
  await task.stop()
  t.deepEqual(stage.failures, [])
})

const snapshotsOf = async (log: Log, marker: object): Promise<void> => {
  const writer = await log.claim({ topic: 'a-snapshots', partition: 0 })
  const value = Buffer.from(JSON.stringify(marker))
  await writer.append([{ key: 'marker', value, timestamp: 0, headers: {} }])
}

test('a journal that ends before what its snapshots stand for is refused, with both offsets', async (t) => {
  const stage = await Stage.open(t)
  await journaled(stage.log, journal)
  await snapshotsOf(stage.log, { offset: 50, positions: {}, forwarded: 50 })
  const error = await t.throwsAsync(stage.task(), { code: 'PARCOMOLO_TASK_LOG_LOST' })
  t.regex(error!.message, /'a-events\/0' ends at offset '2', and the snapshots of 'a' stand at '50'/)
})

test('an input that ends before what was read of it is refused, not waited for', async (t) => {
  const stage = await Stage.open(t)
  await snapshotsOf(stage.log, { offset: 0, positions: { 'a-commands/0': 9 }, forwarded: 0 })
  const error = await t.throwsAsync(stage.task(), { code: 'PARCOMOLO_TASK_LOG_LOST' })
  t.regex(error!.message, /'a-commands\/0' ends at offset '0', and 'a' has read it up to '9'/)
})
