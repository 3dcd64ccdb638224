import test from 'ava'
import fc from 'fast-check'
import { type TimerEntry, Timers } from '../../src/task/timers.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

type Step = { readonly kind: 'add' | 'advance' | 'remove' | 'take'; readonly pick: number; readonly at: number }

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>('add', 'add', 'advance', 'remove', 'take'),
    pick: fc.nat(50),
    at: fc.nat(20)
  }),
  { maxLength: 60 }
)

test('whatever is added, moved and taken out, the earliest comes first, and each once', (t) => {
  fc.assert(
    fc.property(steps, (given) => {
      const timers = new Timers(new VirtualClock(0), () => undefined)
      const waiting: TimerEntry[] = []
      const take = (now: number): void => {
        const earliest = Math.min(Infinity, ...waiting.map(({ dueAt }) => dueAt))
        const taken = timers.take(now)
        if (taken === undefined) return void t.true(earliest > now)
        t.is(taken.dueAt, earliest)
        t.true(waiting.includes(taken))
        waiting.splice(waiting.indexOf(taken), 1)
      }
      for (const [i, { kind, pick, at }] of given.entries()) {
        const entry = waiting[pick % Math.max(1, waiting.length)]
        if (kind === 'add') waiting.push(timers.add(`k${i}`, at))
        else if (kind === 'take') take(at)
        else if (entry !== undefined && kind === 'advance') timers.advance(entry, Math.min(entry.dueAt, at))
        else if (entry !== undefined) {
          timers.remove(entry)
          waiting.splice(waiting.indexOf(entry), 1)
          timers.remove(entry)
        }
        t.is(timers.size, waiting.length)
      }
      while (waiting.length > 0) take(Infinity)
      t.is(timers.take(Infinity), undefined)
    })
  )
})

test('an entry that is out of the timers stays out, also where they have stopped', (t) => {
  const timers = new Timers(new VirtualClock(0), () => undefined)
  const entries = ['a', 'b', 'c'].map((key) => timers.add(key, 100))
  timers.stop()
  for (const entry of entries.toReversed()) timers.advance(entry, 50)
  t.is(timers.take(1_000), undefined)
})

test('an alarm whose entry somebody has taken earlier is not counted on', (t) => {
  const clock = new VirtualClock(0)
  let due = 0
  const timers = new Timers(clock, () => due++)
  timers.add('far', 1000)
  timers.take(5000)
  timers.add('later', 2000)
  clock.advance(1500)
  t.is(due, 0)
  clock.advance(500)
  t.is(due, 1)
})
