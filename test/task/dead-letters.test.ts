import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log, LogRecord, StoredRecord, TopicPartition } from '../../src/log/index.ts'
import { DeadLetters } from '../../src/task/dead-letters.ts'
import { Patience } from '../../src/task/patience.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { codec, inbox, journal, replaced, Stage, until, waitFor } from './stage.ts'

const deadLetters = { topic: 'dead-letters', partition: 0 }
const noAvro = Buffer.from('no avro')

const sendPoison = (stage: Stage, headers: Record<string, string> = {}, value: Uint8Array | null = noAvro) =>
  stage.log.send([{ ...inbox, key: 'x', value, timestamp: 7, headers }])

const full = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_FULL', 'the disk is full', { retryable: true })

/** A log whose topic of dead letters takes nothing while `isFull`. */
const fullAtFirst = (log: Log) => {
  const state = { isFull: true }
  const send: Log['send'] = async (records) => {
    if (state.isFull && records[0]!.topic === deadLetters.topic) throw full()
    return log.send(records)
  }
  return { state, log: replaced(log, { send }) }
}

test('what cannot be read is a dead letter with all that it had, and with its origin', async (t) => {
  const stage = await Stage.open(t)
  const task = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 1 })
  await sendPoison(stage, { ce_id: 'mine', 'parcomolo-dead-omitted': '5' })
  const [letter] = await waitFor(stage, deadLetters, 1)
  t.like(letter, { key: 'x', timestamp: 7 })
  t.deepEqual(Buffer.from(letter!.value!), noAvro)
  const { 'parcomolo-dead-reason': reason, ...headers } = letter!.headers
  t.regex(
    reason!,
    /^value of 7 bytes '6e6f2061767261?6?f?' is malformed: .*; expected Avro in the Confluent wire format$/
  )
  t.deepEqual(headers, {
    ce_id: 'mine',
    'parcomolo-dead-component': 'a',
    'parcomolo-dead-topic': 'a-commands',
    'parcomolo-dead-partition': '0',
    'parcomolo-dead-offset': '1',
    'parcomolo-dead-code': 'PARCOMOLO_CONTRACT_MALFORMED',
    'parcomolo-dead-at': '1970-01-01T00:16:40.000Z'
  })
  await until(stage, () => stage.poison.length === 1)
  t.deepEqual(stage.poison, ['a-commands/0/1'])
  t.is(task.stats.deadLetters, 1)
  await task.stop()
})

test('that a record was passed over is journaled at once, so a restart makes no second letter', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.task()
  await sendPoison(stage)
  await waitFor(stage, journal, 2)
  await first.stop()
  const [, marker] = await stage.all(journal)
  t.is(codec.decode(marker!.value!).type, 'JournalMarker')
  t.like(marker, { key: '', headers: { 'parcomolo-positions': '{"a-commands/0":1}' } })
  const second = await stage.task()
  await stage.tell('Add', { name: 'x', amount: 1 })
  await stage.events('Added', 1)
  await second.stop()
  t.is((await stage.all(deadLetters)).length, 1)
})

test('a crash between a letter and the batch that passes its record doubles the letter', async (t) => {
  const stage = await Stage.open(t)
  const crashed = Promise.withResolvers<unknown>()
  const claim: Log['claim'] = async (place) => {
    const writer = await stage.log.claim(place)
    const append = (records: readonly LogRecord[]): Promise<number> =>
      records[0]!.headers['parcomolo-positions'] === undefined
        ? writer.append(records)
        : Promise.reject(new Error('crash'))
    return { ...writer, append }
  }
  const first = await stage.task({}, { log: replaced(stage.log, { claim }), onFailure: crashed.resolve })
  await sendPoison(stage)
  await stage.tell('Add', { name: 'x', amount: 1 })
  t.regex(String(await crashed.promise), /crash/)
  await first.stop()
  t.is((await stage.all(deadLetters)).length, 1)
  const second = await stage.task()
  await stage.events('Added', 1)
  const letters = await stage.all(deadLetters)
  const origins = letters.map(({ headers }) => `${headers['parcomolo-dead-topic']} ${headers['parcomolo-dead-offset']}`)
  t.deepEqual(origins, ['a-commands 0', 'a-commands 0'])
  await second.stop()
})

test('while the dead letters take nothing, nothing is passed over, and it is told once', async (t) => {
  const stage = await Stage.open(t)
  const { state, log } = fullAtFirst(stage.log)
  const held: unknown[] = []
  const task = await stage.task({}, { log, onHeldUp: (where, error) => held.push([where, error]) })
  await sendPoison(stage)
  await stage.tell('Add', { name: 'x', amount: 1 })
  await until(stage, () => held.length > 0)
  // A millisecond a turn, so several more attempts.
  let turns = 0
  await until(stage, () => ++turns > 1000)
  t.like(held, [['a-events/0', { code: 'PARCOMOLO_LOG_FULL' }]])
  t.is(await stage.log.end(journal), 1)
  t.deepEqual(stage.poison, [])
  state.isFull = false
  await until(stage, () => stage.poison.length === 1)
  await stage.events('Added', 1)
  t.is(held.length, 2)
  t.deepEqual(held[1], ['a-events/0', undefined])
  await task.stop()
})

test('a stop ends the wait for the dead letters, and the next owner finds the record again', async (t) => {
  const stage = await Stage.open(t)
  const { log } = fullAtFirst(stage.log)
  let isHeldUp = false
  const first = await stage.task({}, { log, onHeldUp: () => (isHeldUp = true) })
  await sendPoison(stage)
  await stage.tell('Add', { name: 'x', amount: 1 })
  await until(stage, () => isHeldUp)
  await first.stop()
  t.is(await stage.log.end(journal), 1)
  const second = await stage.task()
  await stage.events('Added', 1)
  t.is((await stage.all(deadLetters)).length, 1)
  t.deepEqual(stage.failures, [])
  await second.stop()
})

test('a registry that cannot be reached holds the task up, and makes no poison of anything', async (t) => {
  const stage = await Stage.open(t)
  const held: unknown[] = []
  let asked = 0
  const learn = (values: Iterable<Uint8Array | null>): Promise<void> | undefined => {
    if ([...values].every((value) => value !== null && codec.knows(value))) return undefined
    asked++
    const away = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
    return asked < 4 ? Promise.reject(away) : Promise.resolve()
  }
  const task = await stage.task({}, { learn, onHeldUp: (_, error) => held.push(error) })
  await sendPoison(stage, {}, Buffer.from('000000006300', 'hex'))
  await stage.tell('Add', { name: 'x', amount: 1 })
  await until(stage, () => held.length > 0)
  t.is(await stage.log.end(deadLetters), 0)
  await until(stage, () => stage.poison.length === 1)
  await stage.events('Added', 1)
  t.is(asked, 4)
  t.like(held, [{ code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' }, undefined])
  t.is((await stage.all(deadLetters))[0]!.headers['parcomolo-dead-code'], 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA')
  await task.stop()
})

test('a registry that fails for good ends the task, and nothing is passed over', async (t) => {
  const stage = await Stage.open(t)
  const failed = Promise.withResolvers<unknown>()
  const refused = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'the credentials are refused')
  const task = await stage.task({}, { learn: () => Promise.reject(refused), onFailure: failed.resolve })
  await stage.tell('Add', { name: 'x', amount: 1 })
  t.is(await failed.promise, refused)
  await task.stop()
  t.is(await stage.log.end(journal), 1)
})

type Sent = LogRecord & TopicPartition

/** Letters of these records, on a log that takes no batch of more than `bytesMax`. */
const sentWith = async (bytesMax: number, records: readonly Partial<StoredRecord>[]): Promise<Sent[][]> => {
  const batches: Sent[][] = []
  const log: Pick<Log, 'send'> = {
    send: async (batch) => {
      const bytes = batch.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
      if (bytes > bytesMax) throw new ParcomoloError('PARCOMOLO_LOG_BATCH_REFUSED', 'the batch is too long')
      batches.push([...batch])
    }
  }
  const clock = new VirtualClock(0)
  const letters = new DeadLetters({
    ...{ log, clock, component: 'a', patience: new Patience(clock) },
    onPoison: () => undefined
  })
  const error = new ParcomoloError('PARCOMOLO_CONTRACT_MALFORMED', 'r'.repeat(600))
  for (const [offset, record] of records.entries())
    letters.add(inbox, { key: 'x', value: noAvro, timestamp: 0, headers: {}, offset, ...record }, error)
  await letters.send()
  return batches
}

test('letters are sent in batches that any log takes, in their order', async (t) => {
  const value = new Uint8Array(100_000)
  const batches = await sentWith(1e6, [{ value }, { value }, { value }, {}, { value: new Uint8Array(400_000) }, {}])
  t.deepEqual(
    batches.map((batch) => batch.map(({ headers }) => Number(headers['parcomolo-dead-offset']))),
    [[0, 1], [2, 3], [4], [5]]
  )
  t.is(batches[0]![0]!.headers['parcomolo-dead-reason'], `${'r'.repeat(499)}…`)
})

test('a record that is too long as a letter leaves its origin and its length', async (t) => {
  const long = { key: 'k'.repeat(1000), value: new Uint8Array(80_000), headers: { ce_id: 'mine' } }
  const batches = await sentWith(60_000, [{}, long, {}])
  t.deepEqual(
    batches.map((batch) => batch.map(({ headers }) => headers['parcomolo-dead-offset'])),
    [['0'], ['1'], ['2']]
  )
  const [cut] = batches[1]!
  t.is(cut!.value, null)
  t.is(cut!.key.length, 200)
  t.is(cut!.headers['parcomolo-dead-omitted'], '80000')
  t.is(cut!.headers['ce_id'], undefined)
})
