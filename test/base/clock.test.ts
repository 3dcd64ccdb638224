import test from 'ava'
import fc from 'fast-check'
import { aboutDuration, LedClock } from '../../src/base/index.ts'
import { JumpingClock } from '../helpers/jumping-clock.ts'

const hourMs = 3_600_000
const monthMs = 30 * 24 * hourMs

test('an alarm comes when its time has come, once, however far away that is', (t) => {
  const clock = new JumpingClock(1000)
  const called: string[] = []
  clock.at(1500, () => called.push('soon'))
  clock.at(500, () => called.push('past'))
  clock.at(1000 + monthMs, () => called.push('month'))
  clock.at(1500, () => called.push('cancelled'))()
  t.is(clock.now(), 1000)
  clock.pass(0)
  t.deepEqual(called, ['past'])
  clock.pass(500)
  t.deepEqual(called, ['past', 'soon'])
  clock.pass(monthMs - 501)
  t.deepEqual(called, ['past', 'soon'])
  clock.pass(1)
  t.deepEqual(called, ['past', 'soon', 'month'])
  t.deepEqual(clock.jumps, [])
})

test('what has come due while the machine slept comes within a second of its waking', (t) => {
  const clock = new JumpingClock(0)
  const called: number[] = []
  clock.at(20 * 60_000, () => called.push(clock.now()))
  clock.at(9 * hourMs, () => called.push(clock.now()))
  clock.pass(8000)
  clock.jump(8 * hourMs)
  clock.pass(1000)
  t.deepEqual(called, [8 * hourMs + 9000])
  t.deepEqual(clock.jumps, [8 * hourMs])
})

test('a clock that is set back stops no alarm, and time meets it again', (t) => {
  const clock = new JumpingClock(10 * hourMs)
  const called: number[] = []
  const begun = clock.now()
  clock.at(begun + 3000, () => called.push(clock.now() - begun))
  clock.pass(1000)
  clock.jump(-3 * hourMs)
  clock.pass(4000)
  t.is(called.length, 1)
  t.true(called[0]! >= 3000)
  t.deepEqual(clock.jumps, [-3 * hourMs])
  const since = clock.now()
  clock.at(since + 60_000, () => called.push(clock.now()))
  clock.pass(66_000)
  t.is(called.length, 2)
  clock.pass(12 * 3 * hourMs)
  t.is(clock.now(), clock.wall)
})

test('back and right again is as if nothing had been, and each jump is told', (t) => {
  const clock = new JumpingClock(10 * hourMs)
  clock.jump(-hourMs)
  clock.pass(14_000)
  clock.jump(hourMs)
  const called: number[] = []
  clock.at(clock.now() + 3000, () => called.push(clock.now()))
  clock.pass(3000)
  t.deepEqual(called, [clock.now()])
  t.is(clock.now(), clock.wall)
  t.deepEqual(clock.jumps, [-hourMs, hourMs])
})

test('forward and right again: time stays forward, and no alarm waits for the clock', (t) => {
  const clock = new JumpingClock(0)
  clock.jump(hourMs)
  clock.pass(1000)
  clock.jump(-hourMs)
  const called: number[] = []
  clock.at(clock.now() + 3000, () => called.push(clock.now()))
  clock.pass(4000)
  t.is(called.length, 1)
})

const moves = fc.array(
  fc.record({ jump: fc.option(fc.integer({ min: -4 * hourMs, max: 4 * hourMs })), pass: fc.nat(5000) }),
  { maxLength: 30 }
)

test('whatever the wall clock does, time never goes back, and no alarm is late by more than a look', (t) => {
  fc.assert(
    fc.property(moves, fc.nat(20_000), (given, delayMs) => {
      const clock = new JumpingClock(100 * hourMs)
      let [last, passedMs] = [clock.now(), 0]
      let calledAfter: number | undefined
      clock.at(last + delayMs, () => (calledAfter = passedMs))
      for (const { jump, pass } of [...given, { jump: 0, pass: 25_000 }]) {
        clock.jump(jump ?? 0)
        clock.pass(pass)
        passedMs += pass
        t.true(clock.now() >= last)
        last = clock.now()
        // In its own time, which may go a twelfth slower.
        if (passedMs > delayMs * 1.1 + 1000) t.not(calledAfter, undefined)
      }
    })
  )
})

test('listeners hear of jumps until they have heard enough', (t) => {
  const clock = new JumpingClock(0)
  const heard: number[] = []
  const end = clock.onJump((ms) => heard.push(ms))
  clock.jump(1000)
  clock.pass(1000)
  end()
  clock.jump(1000)
  clock.pass(1000)
  t.deepEqual(heard, [1000])
})

test("a clock of one's own is as the other one until it is moved forward, and then alone", (t) => {
  const clock = new JumpingClock(0)
  const own = new LedClock(clock)
  const called: number[] = []
  own.at(50, () => called.push(own.now()))
  clock.pass(50)
  t.deepEqual(called, [50])
  t.is(own.notBefore(hourMs), hourMs - 50)
  t.is(own.notBefore(hourMs), 0)
  own.at(hourMs + 100, () => called.push(own.now()))
  own.at(2 * hourMs, () => called.push(own.now()))()
  clock.pass(110)
  t.is(called.length, 2)
  t.true(clock.now() < 1000)
  const before = own.now()
  clock.jump(8 * hourMs)
  clock.pass(1000)
  t.true(own.now() >= before + 7 * hourMs)
})

test('a span is told in one unit', (t) => {
  t.deepEqual([700, 1500, 8 * hourMs + 3000, 36 * hourMs].map(aboutDuration), ['700 ms', '1.5 s', '8 h', '1.5 d'])
})
