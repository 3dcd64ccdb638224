import test from 'ava'
import { Budget } from '../../src/base/index.ts'
import type { Event } from '../../src/task/index.ts'
import { cellBytes } from '../../src/task/cell.ts'
import { Entities } from '../../src/task/entities.ts'
import { Timers } from '../../src/task/timers.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { type Counter, counterComponent } from './counter.ts'

const counter = counterComponent('a')
/** What it encodes and decodes is counted. */
const open = (budget = new Budget(Infinity)) => {
  const counts = { encoded: 0, decoded: 0 }
  const component = {
    ...counter,
    keeps: ({ note }: Counter) => (note === '' ? [] : [Buffer.from(note)]),
    snapshot: {
      encode: (state: Counter) => {
        counts.encoded++
        return counter.snapshot.encode(state)
      },
      decode: (bytes: Uint8Array) => {
        counts.decoded++
        return counter.snapshot.decode(bytes)
      }
    }
  }
  const timers = new Timers(new VirtualClock(0), () => undefined)
  return {
    counts,
    timers,
    entities: new Entities(component, timers, { perPeriod: 1000, account: budget.account('entities') })
  }
}

const added = (name: string, amount: number): Event => ({ key: name, type: 'Added', value: { name, amount } })
const noted = (name: string, text: string): Event => ({ key: name, type: 'Noted', value: { name, text } })
const alarmed = (name: string, at: number): Event => ({ key: name, type: 'AlarmSet', value: { name, at } })

test('an entity that nobody asks for is packed, and is the same when somebody does', (t) => {
  const { counts, entities } = open()
  for (let i = 0; i < 5000; i++) entities.apply(added(`n${i}`, i), i)
  t.true(counts.encoded >= 3000, 'all but those of the last two periods')
  t.is(counts.decoded, 0)
  for (let i = 0; i < 5000; i++) t.is(entities.get(`n${i}`)?.sum, i)
  entities.apply(added('n0', 7), 5000)
  t.deepEqual([entities.get('n0')?.sum, entities.version('n0'), entities.version('n1')], [7, 5001, 2])
})

test('those that are busy are never packed, however many others there are', (t) => {
  const { counts, entities } = open()
  for (let i = 0; i < 10_000; i++) {
    entities.apply(added(`n${i}`, 1), 2 * i)
    entities.apply(added('busy', 1), 2 * i + 1)
  }
  t.is(entities.get('busy')?.sum, 10_000)
  t.is(counts.decoded, 0)
})

test('a snapshot has a packed entity as it lies there, changed or not', (t) => {
  const { counts, entities } = open()
  for (let i = 0; i < 3000; i++) entities.apply(added(`n${i}`, i), i)
  const before = { ...counts }
  const { bytes, version, hasEnded } = entities.encoded('n1')!
  t.deepEqual([counter.snapshot.decode(bytes).sum, version, hasEnded], [1, 2, false])
  t.deepEqual(counts, before)
  entities.apply(added('n1', 5), 3000)
  t.is(counter.snapshot.decode(entities.encoded('n1')!.bytes).sum, 6)
  t.is(entities.encoded('nobody'), undefined)
})

test('one that has ended is packed, as ended, only where there are many: it leaves with the next snapshot', (t) => {
  const { counts, entities } = open()
  const closed = (name: string): Event => ({ key: name, type: 'Closed', value: { name } })
  for (let i = 0; i < 20_000; i++) entities.apply(closed(`n${i}`), i)
  t.is(counts.encoded, 0)
  for (let i = 20_000; i < 25_000; i++) entities.apply(closed(`n${i}`), i)
  t.true(counts.encoded > 2000)
  t.true(entities.encoded('n0')!.hasEnded)
  t.true(entities.encoded('n20000')!.hasEnded)
  entities.apply(added('x', 1), 25_000)
  t.false(entities.encoded('x')!.hasEnded)
})

test('of what all entities keep, the first bytes are known by each schema, however they lie', (t) => {
  const { entities } = open()
  for (let i = 0; i < 5000; i++) entities.apply(noted(`n${i}`, `head${i % 3} and more of it`), i)
  const kept = [...entities.keptOfAll()].map((bytes) => Buffer.from(bytes).toString())
  t.deepEqual([...new Set(kept.map((text) => text.slice(0, 5)))].toSorted(), ['head0', 'head1', 'head2'])
  t.true(kept.length < 2100)
  entities.apply(noted('last', 'head9'), 5000)
  entities.apply({ key: 'last', type: 'Closed', value: { name: 'last' } }, 5001)
  for (let i = 0; i < 3000; i++) entities.get(`n${i}`)
  t.true([...entities.keptOfAll()].some((bytes) => Buffer.from(bytes).toString() === 'head9'))
})

test('an entity has one timer at most, and none once it wants none or is gone', (t) => {
  const { entities, timers } = open()
  for (const [i, at] of [9000, 5000, 7000, 3000].entries()) entities.apply(alarmed('x', at), i)
  entities.apply(alarmed('y', 100), 9001)
  t.is(timers.size, 2)
  entities.evict('y')
  t.is(timers.size, 1)
  t.is(timers.take(2999), undefined)
  const early = timers.take(3000)!
  t.true(entities.isDue(early, 3000))
  entities.apply({ key: 'x', type: 'Rang', value: { name: 'x' } }, 9002)
  t.is(timers.size, 0)
  entities.apply(alarmed('x', 100), 9003)
  entities.apply({ key: 'x', type: 'Rang', value: { name: 'x' } }, 9004)
  t.is(timers.size, 0)
})

test('a newer snapshot of an entity takes the place of an older one, timer and all', (t) => {
  const { entities, timers } = open()
  const counterAt = (alarmAt: number | undefined, sum: number): Uint8Array =>
    counter.snapshot.encode({ sum, alarmAt, closed: false, told: 0, note: '' })
  entities.restore('x', counterAt(100, 1), 1)
  entities.restore('x', counterAt(undefined, 2), 2)
  t.deepEqual([timers.size, entities.get('x')?.sum, entities.version('x')], [0, 2, 2])
  entities.restore('x', counterAt(200, 3), 3)
  t.is(timers.take(200)?.key, 'x')
  t.is(timers.take(200), undefined)
})

/** Room for so many that are worked with, however many others want some. */
const roomFor = (count: number): Budget => new Budget(0, count * cellBytes)

test('without room for all, those that have not changed since the snapshot sleep, the eldest first (E4)', (t) => {
  const budget = roomFor(4)
  const { entities, timers } = open(budget)
  for (let i = 0; i < 20; i++) entities.apply(alarmed(`n${i}`, 1_000 + i), i)
  t.is(entities.room, 0)
  entities.sleep()
  t.is(entities.sleepingCount, 0, 'no snapshot has any of them')
  entities.dirty.clear()
  entities.apply(added('n0', 1), 20)
  entities.sleep()
  t.false(entities.isAsleep('n0'))
  t.true(entities.isAsleep('n1'))
  t.false(entities.isAsleep('n19'))
  t.true(entities.room > 0)
  t.true(budget.heldBytes <= 2 * cellBytes)
  t.deepEqual([entities.size, timers.size], [20, 20], 'their timers are set all the same')
})

test('whoever asks for one that sleeps has forgotten to fetch it, and is told so', (t) => {
  const { entities } = open(roomFor(1))
  for (let i = 0; i < 8; i++) entities.apply(added(`n${i}`, i), i)
  entities.dirty.clear()
  entities.sleep()
  t.throws(() => entities.get('n0'), { code: 'PARCOMOLO_TASK_DEFECT' })
  t.throws(() => entities.apply(added('n0', 1), 8), { code: 'PARCOMOLO_TASK_DEFECT' })
  t.is(entities.get('nobody'), undefined)
})

test('one that slept is as it was when it is brought back, and has one timer', (t) => {
  const { entities, timers } = open(roomFor(1))
  for (let i = 0; i < 8; i++) entities.apply(alarmed(`n${i}`, 1_000 + i), i)
  const { bytes, version } = entities.encoded('n0')!
  entities.dirty.clear()
  entities.sleep()
  entities.clockRuns('n0', 500)
  t.is(timers.take(400), undefined)
  const entry = timers.take(500)!
  t.is(entry.key, 'n0', 'it is called to tell its time itself')
  entities.fired('n0')
  entities.clockRuns('n0', 600)
  entities.wake('n0', bytes, version)
  t.deepEqual([entities.get('n0')?.alarmAt, entities.version('n0'), timers.size], [1_000, 1, 8])
  t.true(entities.isAsleep('n1'))
  entities.evict('n1')
  t.deepEqual([entities.size, timers.size], [7, 7])
})

test('what those in memory hold is given back, whatever becomes of them', (t) => {
  const budget = roomFor(4)
  const { entities } = open(budget)
  for (let i = 0; i < 8; i++) entities.apply(added(`n${i}`, i), i)
  entities.dirty.clear()
  entities.sleep()
  for (let i = 0; i < 8; i++) entities.evict(`n${i}`)
  t.deepEqual([entities.size, budget.heldBytes], [0, 0])
  entities.apply(added('last', 1), 8)
  t.is(budget.heldBytes, cellBytes)
  entities.close()
  t.is(budget.heldBytes, 0)
})
