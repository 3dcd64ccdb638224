import test from 'ava'
import type { LogRecord, StoredRecord } from '../../src/log/index.ts'
import { encodeBatch } from '../../src/log/kafka/record-batch.ts'
import { bytesMost, partBytesMax } from '../../src/task/batch.ts'
import { Task, type TaskDeps } from '../../src/task/index.ts'
import { counterComponent } from './counter.ts'
import { type Appended, bytesOf, watched } from './watched-log.ts'
import { journal, notes, Stage, until, waitFor } from './stage.ts'

const mebibyte = 1024 * 1024
const deadLetters = { topic: 'dead-letters', partition: 0 }

const positionOf = (batch: readonly LogRecord[], name: string): number | undefined =>
  (JSON.parse(batch[0]!.headers['parcomolo-positions'] ?? '{}') as Record<string, number>)[name]

const notesOf = (records: readonly StoredRecord[]): string[] =>
  records.flatMap(({ key, headers }) => (headers['ce_type'] === 'Noted' ? [key] : []))

test('a backlog of large inputs is journaled in batches of bounded size, each with its own positions', async (t) => {
  const stage = await Stage.open(t)
  await notes(stage, 1500, 20_000)
  const { log, batches } = watched(stage.log)
  const task = await stage.task({}, { log })
  await until(stage, () => task.stats.inputs === 1500 && task.stats.events === 1500)
  await task.stop()
  const [, ...written] = batches(journal.topic)
  t.true(Math.max(...written.map(bytesOf)) < 1.1 * mebibyte)
  let decided = 0
  for (const batch of written) t.is(positionOf(batch, 'a-commands/0'), (decided += batch.length))
  t.is(decided, 1500)
  t.deepEqual(stage.failures, [])
})

test('a round whose events are more than a batch is appended in several, each for what it has decided', async (t) => {
  const stage = await Stage.open(t)
  await notes(stage, 10, 1000, (i) => ({ ce_source: '/b-events/0', ce_sequence: String(i) }))
  const { log, batches } = watched(stage.log)
  const task = await stage.task({ batchBytesAim: 2500 }, { log })
  await until(stage, () => task.stats.events === 10)
  await task.stop()
  const [, ...written] = batches(journal.topic)
  t.is(task.stats.rounds, 1)
  t.deepEqual(
    written.map((batch) => batch.length),
    [3, 3, 3, 1]
  )
  for (const [i, next] of [3, 6, 9, 10].entries()) {
    t.is(positionOf(written[i]!, 'a-commands/0'), next)
    t.is(positionOf(written[i]!, 'from:b-events/0@a-commands/0'), next)
  }
})

test('a crash between the appends of a round loses no input, and none is taken twice', async (t) => {
  for (const crashAt of [2, 3, 4]) {
    const stage = await Stage.open(t)
    await notes(stage, 10, 1000, (i) => ({ ce_source: '/b-events/0', ce_sequence: String(i) }))
    const crashed = Promise.withResolvers<unknown>()
    // The fence is the first; those of snapshots and archive are not of the journal.
    const isCrash = (appended: readonly Appended[]): boolean =>
      appended.at(-1)!.topic === journal.topic &&
      appended.filter(({ topic }) => topic === journal.topic).length === crashAt
    const { log } = watched(stage.log, isCrash)
    const first = await stage.task({ batchBytesAim: 2500 }, { log, onFailure: crashed.resolve })
    t.regex(String(await crashed.promise), /crash/)
    await first.stop()
    const journaled = notesOf(await stage.all(journal))
    t.is(journaled.length, 3 * (crashAt - 2))
    const second = await stage.task()
    await until(stage, () => second.stats.events === 10 - journaled.length)
    await second.stop()
    t.deepEqual(
      notesOf(await stage.all(journal)),
      Array.from({ length: 10 }, (_, i) => `n${i}`)
    )
    t.deepEqual(stage.poison, [])
  }
})

test('an input whose events no batch takes is a dead letter, and changes nothing', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.tell('Note', { name: 'x', text: 'x'.repeat(17 * mebibyte) })
  await stage.tell('Add', { name: 'x', amount: 2 })
  await stage.events('Added', 2)
  const [letter] = await waitFor(stage, deadLetters, 1)
  t.like(letter!.headers, {
    'parcomolo-dead-offset': '1',
    'parcomolo-dead-code': 'PARCOMOLO_TASK_INPUT_TOO_LARGE'
  })
  t.regex(
    letter!.headers['parcomolo-dead-reason']!,
    /^what follows from 'Note' has '178\d{5}' bytes in 1 events; expected at most '15466496', as .*; put less into it$/
  )
  t.like(task.entity('x'), { sum: 3, note: '' })
  await task.stop()
  const second = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 3 })
  await stage.events('Added', 3)
  t.deepEqual(notesOf(await stage.all(journal)), [])
  t.is((await stage.all(deadLetters)).length, 1)
  t.deepEqual([second.entity('x')?.sum, stage.failures], [6, []])
  await second.stop()
})

test('what is just small enough for a batch is journaled, however full the batch was', async (t) => {
  const stage = await Stage.open(t)
  await stage.tell('Note', { name: 'y', text: 'x'.repeat(0.9 * mebibyte) })
  await stage.tell('Note', { name: 'x', text: 'x'.repeat(14.7 * mebibyte) })
  const { log, batches } = watched(stage.log)
  const task = await stage.task({ inputBytesPerRoundMax: 100 * mebibyte }, { log })
  await until(stage, () => task.stats.events === 2)
  await task.stop()
  const [, written] = batches(journal.topic)
  t.is(written!.length, 2)
  // What Kafka is sent is the larger of both logs' forms: each record has the names of its headers.
  t.true(encodeBatch(written!, { id: 1n, epoch: 1, sequence: 0 }).length <= 16 * mebibyte)
  t.deepEqual(stage.poison, [])
})

test('no batch is more than Kafka takes, however small its records are, and whatever their texts', (t) => {
  const aim = mebibyte
  for (const [key, cause] of [
    ['k', undefined],
    ['€'.repeat(40), '€'.repeat(200)]
  ] as const) {
    const value = Buffer.alloc(7)
    const headers: Record<string, string> =
      cause === undefined ? { ce_type: 'T' } : { ce_type: 'T', ce_causationid: cause }
    const count = Math.floor(partBytesMax(aim) / bytesMost(key, value, cause))
    const records = Array.from({ length: count }, () => ({ key, value, timestamp: 1_700_000_000_000, headers }))
    const encoded = encodeBatch(records, { id: 1n, epoch: 1, sequence: 0 })
    t.true(encoded.length <= partBytesMax(aim), `${encoded.length} bytes of ${count}`)
  }
})

/** Counters that write so much when they ring. */
const ringing = (stage: Stage, ring: { textBytes: number }, overrides: Partial<TaskDeps> = {}) => {
  const counter = counterComponent('a')
  return new Task(
    {
      ...counter,
      decide: (entity, input, now) => {
        if (input.kind === 'message') return counter.decide(entity, input, now)
        const text = 'x'.repeat(ring.textBytes)
        const noted = { key: input.key, type: 'Noted', value: { name: input.key, text } }
        return [noted, ...counter.decide(entity, input, now)]
      }
    },
    journal,
    stage.deps(overrides)
  )
}

const setAlarms = async (stage: Stage, count: number, at: number): Promise<void> => {
  for (let i = 0; i < count; i++) await stage.tell('RingAt', { name: `r${i}`, at })
  await stage.events('AlarmSet', count)
}

test('timers that are due together are fired in batches of bounded size, and none is forgotten', async (t) => {
  const stage = await Stage.open(t)
  const { log, batches } = watched(stage.log)
  const task = ringing(stage, { textBytes: 20_000 }, { log })
  await task.start()
  await setAlarms(stage, 1200, 1_050_000)
  stage.clock.advance(50_000)
  await until(stage, () => task.stats.events === 3 * 1200)
  await task.stop()
  t.true(Math.max(...batches(journal.topic).map(bytesOf)) < 1.1 * mebibyte)
  t.is((await stage.events('Rang', 1200)).length, 1200)
})

test('a timer whose events no batch takes lets its entity stand still, is told, and holds nothing up', async (t) => {
  const stage = await Stage.open(t)
  const ring = { textBytes: 17 * mebibyte }
  const aside: unknown[] = []
  const task = ringing(stage, ring, { onTooLarge: (component, key, error) => aside.push([component, key, error]) })
  await task.start()
  await setAlarms(stage, 1, 1_001_000)
  await until(stage, () => aside.length > 0)
  const end = await stage.log.end(journal)
  stage.clock.advance(100_000)
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  t.is(await stage.log.end(journal), end + 1)
  t.like(aside, [['a', 'r0', { code: 'PARCOMOLO_TASK_INPUT_TOO_LARGE' }]])
  t.regex(String((aside[0] as unknown[])[2]), /follows from the timer of 'r0' has '178\d{5}' bytes in 2 events/)
  ring.textBytes = 1
  await stage.tell('Add', { name: 'r0', amount: 1 })
  await stage.events('Rang', 1)
  await task.stop()
  t.deepEqual([aside.length, stage.failures], [1, []])
})
