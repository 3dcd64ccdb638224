import test from 'ava'
import { Budget, type ParcomoloError } from '../../src/base/index.ts'
import type { Log } from '../../src/log/index.ts'
import { cellBytes } from '../../src/task/cell.ts'
import { type Component, type MessageInput, Task } from '../../src/task/index.ts'
import { type Counter, counterComponent } from './counter.ts'
import { codec, fullNameOf, inbox, journal, replaced, Stage, targetInbox, until, waitFor } from './stage.ts'

const marker = { type: 'JournalMarker', fullName: 'parcomolo.journal.JournalMarker', value: { owner: 'test' } }

test('inputs that arrive together are decided in order and journaled as one batch with their positions', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await Promise.all([1, 2, 3].map((amount) => stage.tell('Add', { name: 'x', amount })))
  const events = await stage.events('Added', 3)
  t.deepEqual(
    events.map(({ value }) => value['amount']),
    [1, 2, 3]
  )
  t.is(events[0]!.record.headers['parcomolo-positions'], '{"a-commands/0":3}')
  t.is(events[1]!.record.headers['parcomolo-positions'], undefined)
  t.is(events[1]!.record.headers['ce_causationid'], 'a-commands/0/1')
  t.is(task.entity('x')?.sum, 6)
  await task.stop()
})

test('a restarted task has the same state, and takes no input twice and none too few', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 5 })
  await stage.events('Added', 1)
  await first.stop()
  await stage.tell('Add', { name: 'x', amount: 7 })
  await stage.log.close()
  await stage.openLog()
  const second = await stage.task()
  await stage.events('Added', 2)
  t.is(second.entity('x')?.sum, 12)
  await second.stop()
  const types = (await stage.all(journal)).map(({ value }) => codec.decode(value!).type)
  t.deepEqual(types, ['JournalMarker', 'Added', 'JournalMarker', 'Added'])
})

test('every record of a journal says what it is, with a value and a header', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ idlePositionsMax: 1 })
  await stage.tell('Close', { name: 'x' })
  await stage.events('Closed', 1)
  await stage.tell('Add', { name: 'x', amount: 1 })
  const [fence, closed, positions] = await waitFor(stage, journal, 3)
  await task.stop()
  t.deepEqual({ ...codec.decode(fence!.value!) }, marker)
  t.deepEqual({ ...fence!.headers }, { ce_type: 'JournalMarker', 'parcomolo-fence': 'test' })
  t.like(closed!.headers, { ce_type: 'Closed', ce_causationid: 'a-commands/0/0' })
  t.deepEqual({ ...codec.decode(positions!.value!) }, marker)
  t.like(positions!.headers, { ce_type: 'JournalMarker', 'parcomolo-positions': '{"a-commands/0":2}' })
})

test('a journal from before markers had a value is read as it was meant', async (t) => {
  const stage = await Stage.open(t)
  const [key, value, timestamp] = ['x', codec.encode(fullNameOf('Added'), { name: 'x', amount: 5 }), 0]
  await stage.tell('Add', { name: 'x', amount: 5 })
  await stage.tell('Rang', { name: 'x' })
  const writer = await stage.log.claim(journal)
  await writer.append([{ key: '', value: null, timestamp, headers: { 'parcomolo-fence': 'old' } }])
  await writer.append([{ key, value, timestamp, headers: { 'parcomolo-positions': '{"a-commands/0":1}' } }])
  await writer.append([{ key: '', value: null, timestamp, headers: { 'parcomolo-positions': '{"a-commands/0":2}' } }])
  const task = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 7 })
  await until(stage, () => task.entity('x')?.sum === 12)
  await task.stop()
  t.deepEqual(stage.poison, [])
})

test('a second owner fences the first, which stops at its next append and has changed nothing', async (t) => {
  const stage = await Stage.open(t)
  const fenced = Promise.withResolvers<unknown>()
  const first = await stage.task({}, { onFailure: fenced.resolve })
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  const second = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 2 })
  t.like(await fenced.promise, { code: 'PARCOMOLO_LOG_FENCED' })
  await stage.events('Added', 2)
  t.is(second.entity('x')?.sum, 3)
  await Promise.all([first.stop(), second.stop()])
  t.deepEqual(stage.failures, [])
})

test('a command is forwarded as a CloudEvent with the journal offset as its sequence', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.tell('Tell', { name: 'x', amount: 4 }, { ce_id: 'first' })
  const [told] = await stage.events('Told', 1)
  const [command] = await waitFor(stage, targetInbox, 1)
  await task.stop()
  t.deepEqual(codec.decode(command!.value!).value, { name: 'x', amount: 4 })
  t.deepEqual(command!.headers, {
    ce_specversion: '1.0',
    ce_id: 'tell/first',
    ce_type: 'Add',
    ce_source: '/a-events/0',
    ce_subject: 'x',
    ce_correlationid: 'tell',
    ce_attempt: '1',
    ce_sequence: String(told!.record.offset)
  })
})

test('a command whose forwarding is not recorded yet is forwarded again by the next owner', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await stage.tell('Tell', { name: 'x', amount: 4 })
  await waitFor(stage, targetInbox, 1)
  await first.stop()
  const second = await stage.task()
  const commands = await waitFor(stage, targetInbox, 2)
  await second.stop()
  t.is(commands[0]!.headers['ce_id'], commands[1]!.headers['ce_id'])
  t.is(commands[0]!.headers['ce_sequence'], commands[1]!.headers['ce_sequence'])
})

test('what is recorded as forwarded is not forwarded again', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await stage.tell('Tell', { name: 'x', amount: 4 })
  await waitFor(stage, targetInbox, 1)
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  await first.stop()
  const second = await stage.task()
  await stage.tell('Tell', { name: 'x', amount: 5 })
  const commands = await waitFor(stage, targetInbox, 2)
  await second.stop()
  t.deepEqual(
    commands.map(({ value }) => codec.decode(value!).value['amount']),
    [4, 5]
  )
})

test('a forwarded command that comes again is dropped, also after a restart; a later one is taken', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  const from = (sequence: number): Record<string, string> => ({
    ce_source: '/b-events/0',
    ce_sequence: String(sequence)
  })
  await stage.tell('Add', { name: 'x', amount: 1 }, from(7))
  await stage.tell('Add', { name: 'x', amount: 1 }, from(7))
  await stage.tell('Add', { name: 'x', amount: 10 }, from(9))
  await stage.events('Added', 2)
  await first.stop()
  const second = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 1 }, from(9))
  await stage.tell('Add', { name: 'x', amount: 100 }, from(10))
  await stage.events('Added', 3)
  t.is(second.entity('x')?.sum, 111)
  await second.stop()
})

test('a timer fires at its time, also when it was set before a restart', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await stage.tell('RingAt', { name: 'x', at: stage.clock.now() + 5000 })
  await stage.tell('RingAt', { name: 'y', at: stage.clock.now() + 9000 })
  await stage.events('AlarmSet', 2)
  stage.clock.advance(5000)
  const [rang] = await stage.events('Rang', 1)
  t.is(rang!.record.key, 'x')
  t.is(rang!.record.timestamp, stage.clock.now())
  await first.stop()
  const second = await stage.task()
  stage.clock.advance(4000)
  t.is((await stage.events('Rang', 2))[1]!.record.key, 'y')
  await second.stop()
})

test('a timer that was moved to a later time does not fire at the earlier one', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  const { clock } = stage
  await stage.tell('RingAt', { name: 'x', at: clock.now() + 1000 })
  await stage.events('AlarmSet', 1)
  await stage.tell('RingAt', { name: 'x', at: clock.now() + 3000 })
  await stage.events('AlarmSet', 2)
  clock.advance(2000)
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  t.not(task.entity('x')?.alarmAt, undefined)
  clock.advance(1000)
  await stage.events('Rang', 1)
  await task.stop()
})

test('what has ended leaves memory with a snapshot, and a late question still meets its state', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ inputsPerSnapshot: 1 })
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.tell('Close', { name: 'x' })
  await stage.events('Closed', 1)
  await until(stage, () => task.entityCount === 0)
  await stage.tell('Add', { name: 'x', amount: 50 })
  await stage.tell('Add', { name: 'y', amount: 2 })
  const added = await stage.events('Added', 2)
  t.deepEqual(
    added.map(({ value }) => value),
    [
      { name: 'x', amount: 1 },
      { name: 'y', amount: 2 }
    ]
  )
  await task.stop()
})

test('a stop waits for the batch of a snapshot that is being written, and no longer', async (t) => {
  const stage = await Stage.open(t)
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const durable: Log['durable'] = (place, offset) => {
    begun.resolve()
    return gate.promise.then(() => stage.log.durable(place, offset))
  }
  const task = await stage.task({ inputsPerSnapshot: 1 }, { log: replaced(stage.log, { durable }) })
  await stage.tell('Close', { name: 'x' })
  await begun.promise
  const stopped = task.stop()
  gate.resolve()
  await stopped
  t.is(task.stats.snapshots, 1)
  t.deepEqual(stage.failures, [])
})

test('a task that has nothing more to do snapshots when its time has come', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task({ snapshotEveryMs: 5000 })
  await stage.tell('Close', { name: 'x' })
  await stage.events('Closed', 1)
  t.is(task.stats.snapshots, 0)
  await until(stage, () => task.stats.snapshots === 1)
  t.is(task.entityCount, 0)
  await task.stop()
})

test('a task that read its whole journal at the start snapshots in time, although no input ever comes', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 3 })
  await stage.tell('Close', { name: 'z' })
  await stage.events('Closed', 1)
  await first.stop()
  const second = await stage.task({ snapshotEveryMs: 5000 })
  t.is(second.entityCount, 2)
  const began = stage.clock.now()
  await until(stage, () => second.stats.snapshots === 1)
  t.true(stage.clock.now() - began >= 5000)
  t.deepEqual([second.entityCount, second.stats.inputs], [1, 0])
  await second.stop()
  const keys = (await stage.all({ topic: 'a-snapshots', partition: 0 })).map(({ key }) => key)
  t.deepEqual(keys, ['entity:x', 'marker'])
})

test('a start from snapshots gives the state that the whole journal gives', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task({ inputsPerSnapshot: 1 })
  for (const name of ['x', 'y', 'z']) await stage.tell('Add', { name, amount: 3 })
  await stage.tell('Close', { name: 'z' })
  await stage.events('Closed', 1)
  await until(stage, () => first.stats.snapshots > 0 && first.entityCount === 2)
  await first.stop()
  const fromSnapshots = await stage.task()
  await stage.tell('Add', { name: 'z', amount: 50 })
  await stage.tell('Add', { name: 'x', amount: 4 })
  await stage.events('Added', 4)
  t.is(fromSnapshots.entity('x')?.sum, 7)
  t.is(fromSnapshots.entity('y')?.sum, 3)
  t.deepEqual([fromSnapshots.entity('z')?.sum, fromSnapshots.entity('z')?.closed], [3, true])
  await fromSnapshots.stop()
  await forgetSnapshots(stage)
  const fromJournal = await stage.task()
  t.is(fromJournal.entity('x')?.sum, 7)
  t.is(fromJournal.entity('y')?.sum, 3)
  t.deepEqual([fromJournal.entity('z')?.sum, fromJournal.entity('z')?.closed], [3, true])
  await fromJournal.stop()
})

test('an input that cannot be read is reported with its place and passed over', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.log.send([{ ...inbox, key: 'x', value: Buffer.from('no avro'), timestamp: 0, headers: {} }])
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  t.deepEqual(stage.poison, ['a-commands/0/0'])
  await task.stop()
})

test('an input over which the component fails is a dead letter, and all others are decided', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.tell('Rang', { name: 'x' })
  await stage.tell('Add', { name: 'x', amount: 2 })
  await stage.events('Added', 2)
  t.deepEqual(stage.poison, ['a-commands/0/1'])
  await task.stop()
  const [letter] = await stage.all({ topic: 'dead-letters', partition: 0 })
  t.like(letter!.headers, {
    'parcomolo-dead-offset': '1',
    'parcomolo-dead-code': 'PARCOMOLO_TASK_INPUT_UNDECIDABLE',
    'parcomolo-dead-reason':
      "what follows from 'Rang' cannot be decided by 'a': a 'Rang' is not for a counter; nothing has changed; look at what it holds"
  })
  const next = await stage.task()
  t.is(next.entity('x')?.sum, 3)
  await next.stop()
  t.deepEqual(stage.failures, [])
  t.is(stage.poison.length, 1)
})

/** A task of a counter that is not quite one. */
const taskOf = async (stage: Stage, change: Partial<Component<Counter>>, deps = {}): Promise<Task<Counter>> => {
  const task = new Task({ ...counterComponent('a'), ...change }, journal, stage.deps(deps))
  await task.start()
  return task
}

test('where one of several events cannot be journaled or folded, none is, and nothing has changed', async (t) => {
  const stage = await Stage.open(t)
  const counter = counterComponent('a')
  const added = (name: string, amount: unknown) => ({ key: name, type: 'Added', value: { name, amount } })
  const task = await taskOf(stage, {
    decide: (_, input) => {
      const { name, amount } = (input as MessageInput).value as { name: string; amount: number }
      const second = amount === 13 ? added('new', 'thirteen') : added('new', amount)
      return amount === 1 ? [added(name, 1)] : [added(name, amount), second, added(name, amount)]
    },
    evolve: (state, event, key) => {
      if (event.value['amount'] === 66 && state?.sum === 67) throw new RangeError('too much for it')
      return counter.evolve(state, event, key)
    }
  })
  await stage.tell('Add', { name: 'x', amount: 1 })
  for (const amount of [13, 66]) await stage.tell('Add', { name: 'x', amount })
  await stage.tell('Add', { name: 'y', amount: 1 })
  await stage.events('Added', 2)
  t.deepEqual(stage.poison, ['a-commands/0/1', 'a-commands/0/2'])
  t.is(task.entity('x')?.sum, 1)
  t.is(task.entity('new'), undefined)
  t.is(task.entityCount, 2)
  await task.stop()
  t.deepEqual(stage.failures, [])
})

test('an entity whose timer cannot be decided, or has no consequence, stands still, and others go on', async (t) => {
  const stage = await Stage.open(t)
  const still: [string, unknown][] = []
  const counter = counterComponent('a')
  const task = await taskOf(
    stage,
    {
      decide: (entity, input, now) => {
        if (input.kind === 'timer' && input.key === 'bad') throw new RangeError('not now')
        return input.kind === 'timer' && input.key === 'idle' ? [] : counter.decide(entity, input, now)
      }
    },
    { onTooLarge: (_: string, key: string, error: ParcomoloError) => still.push([key, error.code]) }
  )
  for (const name of ['bad', 'idle', 'good']) await stage.tell('RingAt', { name, at: 1_000_500 })
  await stage.events('AlarmSet', 3)
  stage.clock.advance(600)
  await stage.events('Rang', 1)
  const code = 'PARCOMOLO_TASK_INPUT_UNDECIDABLE'
  t.deepEqual(still.toSorted(), [
    ['bad', code],
    ['idle', code]
  ])
  await stage.tell('Add', { name: 'bad', amount: 1 })
  await stage.events('Added', 1)
  t.deepEqual(stage.failures, [])
  await task.stop()
})

test('a full inbox of a participant holds up forwarding, not the decisions, and loses nothing', async (t) => {
  const stage = await Stage.open(t)
  const gate = Promise.withResolvers<void>()
  const send: Log['send'] = (records) => gate.promise.then(() => stage.log.send(records))
  const log = replaced(stage.log, { send })
  const task = await stage.task({}, { log })
  await stage.tell('Tell', { name: 'x', amount: 1 })
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  t.is(await stage.log.end(targetInbox), 0)
  gate.resolve()
  t.is((await waitFor(stage, targetInbox, 1)).length, 1)
  await task.stop()
})

test('an inbox that takes nothing for long stops the intake of new inputs, until it takes them again', async (t) => {
  const stage = await Stage.open(t)
  const gate = Promise.withResolvers<void>()
  const send: Log['send'] = (records) => gate.promise.then(() => stage.log.send(records))
  const task = await stage.task({ inputsPerRoundMax: 1000 }, { log: replaced(stage.log, { send }) })
  const told = 9000
  const key = 'x'
  const value = codec.encode(fullNameOf('Tell'), { name: key, amount: 1 })
  await stage.log.send(Array.from({ length: told }, () => ({ ...inbox, key, value, timestamp: 0, headers: {} })))
  await stage.events('Told', 5000)
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve))
  const takenBefore = task.stats.inputs
  t.true(takenBefore < 7000, String(takenBefore))
  gate.resolve()
  t.is((await waitFor(stage, targetInbox, told)).length, told)
  await task.stop()
})

const forgetSnapshots = async (stage: Stage): Promise<void> => {
  for (const topic of ['a-snapshots', 'a-archive']) {
    const place = { topic, partition: 0 }
    const writer = await stage.log.claim(place)
    const records = await stage.all(place)
    await writer.append(records.map((record) => ({ ...record, value: null })))
  }
}

test('whoever sent a command that nothing follows from hears by the positions that it was read', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.tell('Close', { name: 'k' })
  await stage.events('Closed', 1)
  await stage.tell('Add', { name: 'k', amount: 1 }, { ce_source: '/b-events/0', ce_sequence: '41' })
  await until(stage, () => task.stats.inputs === 2)
  const before = await stage.log.end(journal)
  stage.clock.advance(199)
  t.is(await stage.log.end(journal), before)
  stage.clock.advance(1)
  const [marker] = (await waitFor(stage, journal, before + 1)).slice(-1)
  t.deepEqual(JSON.parse(marker!.headers['parcomolo-positions']!), {
    'a-commands/0': 2,
    'from:b-events/0@a-commands/0': 42
  })
  await task.stop()
})

test('entities without room sleep in the snapshots, until somebody asks or their time comes (E4)', async (t) => {
  const stage = await Stage.open(t)
  const living = new Budget(0, cellBytes)
  const limits = { inputsPerSnapshot: 1 }
  const first = await stage.task(limits, { living })
  const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
  for (const [i, name] of names.entries()) await stage.tell('Add', { name, amount: i })
  const at = stage.clock.now() + 3_600_000
  for (const name of ['n0', 'n5']) await stage.tell('RingAt', { name, at })
  await until(stage, () => first.sleepingCount > 8)
  t.true(living.heldBytes <= cellBytes)

  await stage.tell('Add', { name: 'n3', amount: 100 })
  await stage.events('Added', 13)
  t.is(first.entity('n3')?.sum, 103)
  stage.clock.advance(3_700_000)
  const rung = await stage.events('Rang', 2)
  t.deepEqual(rung.map(({ value }) => value['name']).toSorted(), ['n0', 'n5'])
  await first.stop()
  t.is(living.heldBytes, 0)

  const second = await stage.task(limits, { living })
  t.true(second.sleepingCount > 0, 'a start does not bring them all into memory either')
  for (const name of names) await stage.tell('Add', { name, amount: 1_000 })
  await stage.events('Added', 25)
  await second.stop()
  const third = await stage.task()
  t.deepEqual(
    names.map((name) => third.entity(name)?.sum),
    names.map((_, i) => (i === 3 ? 1_103 : 1_000 + i))
  )
  await third.stop()
  t.deepEqual(stage.failures, [])
})

test('a task that is stopped while it takes over gives back all memory that it has come to hold', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task({ inputsPerSnapshot: 1 })
  for (const name of ['a', 'b', 'c']) await stage.tell('Add', { name, amount: 1 })
  await stage.events('Added', 3)
  await until(stage, () => first.stats.snapshots > 0)
  await first.stop()
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const read: Log['read'] = async function* (place, from, to) {
    asked.resolve()
    await gate.promise
    yield* stage.log.read(place, from, to)
  }
  const living = new Budget(1_000_000)
  let counted = 0
  const group = { alive: 0, add: (count: number) => void ((group.alive += count), (counted += count)) }
  const census = () => ({ groupOf: () => group, close: () => void ((counted -= group.alive), (group.alive = 0)) })
  const deps = stage.deps({ living, log: replaced(stage.log, { read }) })
  const second = new Task({ ...counterComponent('a'), census }, journal, deps)
  const starting = second.start()
  await asked.promise
  await second.stop()
  gate.resolve()
  await starting
  t.deepEqual([living.heldBytes, counted], [0, 0])
  t.true(second.entityCount > 0, 'it had read some by then')
})
