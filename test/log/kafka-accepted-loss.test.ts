import test from 'ava'
import { decision, type Decision, decisionRecord, goesOnAt } from '../../src/log/kafka/accepted-loss.ts'

const topics = [{ name: 'x', id: '01', partitions: 2 }]
const made = (overrides: Partial<Decision>): Decision => ({
  ...{ topic: 'x', topicId: '01', by: 'ada', reason: 'retention', at: 7 },
  partitions: [
    { start: 10, end: 20 },
    { start: 0, end: 0 }
  ],
  ...overrides
})
const at = (partition: number) => ({ topic: 'x', partition })

test('who stands before the start or behind the end goes on at the start; who stands within does not move', (t) => {
  const known = { decisions: [made({})], topics }
  const cases = [
    [0, 9, 10],
    [0, 10, undefined],
    [0, 20, undefined],
    [0, 21, 10],
    [1, 0, undefined],
    [1, 1, 0]
  ] as const
  for (const [partition, offset, next] of cases) t.is(goesOnAt(known, at(partition), offset), next, String(offset))
  t.is(goesOnAt(known, at(2), 5), undefined)
})

test('a decision counts for its topic as it was then, and the newest alone', (t) => {
  const next = (decisions: readonly Decision[]) => goesOnAt({ decisions, topics }, at(0), 5)
  t.is(next([made({ topicId: '02' })]), undefined)
  t.is(next([made({ topic: 'y' })]), undefined)
  t.is(next([made({}), made({ partitions: [{ start: 15, end: 30 }] }), made({ topicId: '02' })]), 15)
  // What was accepted once is no word on what is lost after that.
  t.is(goesOnAt({ decisions: [made({})], topics }, at(0), 12), undefined)
  t.is(goesOnAt({ decisions: [made({})], topics: [] }, at(0), 5), undefined)
})

test('a decision that comes after the loss was found counts also where the topic has grown past it meanwhile', (t) => {
  const known = { decisions: [made({ topic: 'y' }), made({})], topics }
  t.is(goesOnAt(known, at(0), 15, 1), 10)
  t.is(goesOnAt(known, at(0), 15, 2), undefined)
})

test('a decision is a record that people can read, and what is none there is passed over', (t) => {
  const record = decisionRecord(made({}))
  t.like(JSON.parse(Buffer.from(record.value!).toString()), { by: 'ada', reason: 'retention', topic: 'x' })
  t.true(Buffer.from(record.value!).toString().includes('"at":"1970-01-01T00:00:00.007Z"'))
  t.deepEqual(decision(record), made({}))
  for (const value of [null, Buffer.from('no JSON'), Buffer.from('{}')])
    t.is(decision({ value, timestamp: 1 }), undefined)
})
