import test from 'ava'
import { Calls } from '../../src/courier/calls.ts'
import type { Call } from '../../src/courier/component.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

const callOf = (id: string, tries = 1): Call => ({
  ...{ id, status: 'calling', command: 'Charge', key: id, correlationId: '', cause: '', attempt: 1 },
  ...{ arguments: new Uint8Array(), expiresAt: null, askedAt: 0, tries, by: 'me', nextTryAt: 0, isUndone: false }
})

const stageOf = (limits: { concurrency: number; perSecond?: number }) => {
  const [clock, made] = [new VirtualClock(0), new Map<string, () => void>()]
  const calls = new Calls({
    clock,
    limits: () => limits,
    make: ({ id }) => new Promise<void>((resolve) => made.set(id, resolve))
  })
  const end = async (id: string): Promise<void> => {
    made.get(id)!()
    await new Promise(setImmediate)
  }
  return { calls, clock, made: () => [...made.keys()], end }
}

test('no more are under way than may be, in the order in which they came', async (t) => {
  const { calls, made, end } = stageOf({ concurrency: 2 })
  for (const id of ['a', 'b', 'c', 'd']) calls.begin(callOf(id))
  t.deepEqual(made(), ['a', 'b'])
  await end('b')
  t.deepEqual(made(), ['a', 'b', 'c'])
})

test('what was called often in vain comes last, and has half of the places', async (t) => {
  const { calls, made, end } = stageOf({ concurrency: 4 })
  for (const id of ['old-1', 'old-2', 'old-3']) calls.begin(callOf(id, 9))
  t.deepEqual(made(), ['old-1', 'old-2'])
  for (const id of ['new-1', 'new-2', 'new-3']) calls.begin(callOf(id))
  t.deepEqual(made(), ['old-1', 'old-2', 'new-1', 'new-2'])
  await end('old-1')
  t.deepEqual(made().slice(4), ['new-3'])
})

test('a command that waits to be called, or is called, is not called beside it', (t) => {
  const { calls, made } = stageOf({ concurrency: 1 })
  for (const id of ['a', 'a', 'b', 'b']) calls.begin(callOf(id))
  t.deepEqual(made(), ['a'])
})

test('so many a second, and none after the stop', (t) => {
  const { calls, clock, made } = stageOf({ concurrency: 10, perSecond: 2 })
  for (const id of ['a', 'b', 'c', 'd']) calls.begin(callOf(id))
  t.deepEqual(made(), ['a'])
  clock.advance(500)
  t.deepEqual(made(), ['a', 'b'])
  clock.advance(500)
  calls.stop()
  clock.advance(5_000)
  t.deepEqual(made(), ['a', 'b', 'c'])
})
