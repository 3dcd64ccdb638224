import test from 'ava'
import { evolve } from '../../../src/saga/engine/evolve.ts'
import { goOn, type Instance, standStill, statusOf } from '../../../src/saga/index.ts'
import { pauseMs } from '../../../src/saga/engine/backoff.ts'
import { sendAgainLater } from '../../../src/saga/engine/send.ts'
import { attemptMax } from '../../../src/saga/engine/slot.ts'
import { commandOf } from '../../../src/saga/engine/turn.ts'
import { define, step } from './build.ts'
import { scenario } from './scenario.ts'

const definition = define([step('a'), step('b')])

const running = (): Instance => {
  const it = scenario(definition)
  it.start()
  return it.instance!
}

const after = (instance: Instance, events: ReturnType<typeof goOn>): Instance =>
  events.reduce((before, event) => evolve(before, event, 1)!, instance)

test('an instance without its definition is parked as a whole, once, and comes back as it was', (t) => {
  const instance = running()
  const still = after(instance, standStill(instance, 'no definition'))
  t.is(statusOf(still), 'parked')
  t.deepEqual([still.timers, still.slots], [instance.timers, instance.slots])
  t.deepEqual(standStill(still, 'no definition'), [])
  t.deepEqual(after(still, goOn(still)), instance)
  t.deepEqual(goOn(instance), [])
})

test('one that has ended needs no definition', (t) => {
  const ended = evolve(running(), { type: 'SagaCompleted', value: {} }, 1)!
  t.deepEqual(standStill(ended, 'no definition'), [])
})

test('attempts are counted as far as a record counts', (t) => {
  const [first] = definition.steps
  const turn = { definition, instance: running(), now: 0, budget: { left: 1_000_000 } }
  const { value } = sendAgainLater(turn, commandOf(first!), attemptMax + 1)
  t.like(value, { attempt: attemptMax })
  t.true(pauseMs(first!.retry, 'id', attemptMax) > 0)
})
