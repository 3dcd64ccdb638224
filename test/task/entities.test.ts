import test from 'ava'
import type { Event } from '../../src/task/index.ts'
import { Entities } from '../../src/task/entities.ts'
import { Timers } from '../../src/task/timers.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { type Counter, counterComponent } from './counter.ts'

const counter = counterComponent('a')
/** What it encodes and decodes is counted. */
const open = () => {
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
  return { counts, timers, entities: new Entities(component, timers, { perPeriod: 1000 }) }
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

test('one whose end is all that happened is packed as ended', (t) => {
  const { entities } = open()
  entities.apply({ key: 'x', type: 'Closed', value: { name: 'x' } }, 0)
  for (let i = 1; i < 3000; i++) entities.apply(added(`n${i}`, i), i)
  t.true(entities.encoded('x')!.hasEnded)
  t.false(entities.encoded('n1')!.hasEnded)
})

test('of what packed entities keep, the first bytes are known by each schema', (t) => {
  const { entities } = open()
  for (let i = 0; i < 5000; i++) entities.apply(noted(`n${i}`, `head${i % 3} and more of it`), i)
  const kept = [...entities.keptOfAll()].map((bytes) => Buffer.from(bytes).toString())
  t.deepEqual([...new Set(kept.map((text) => text.slice(0, 5)))].toSorted(), ['head0', 'head1', 'head2'])
  t.true(kept.length < 2100)
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
