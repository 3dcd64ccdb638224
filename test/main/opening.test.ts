import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { Opening, type OpeningDeps } from '../../src/main/opening.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

const stage = () => {
  const closed: string[] = []
  const slow: string[] = []
  const stop = new AbortController()
  const failure = Promise.withResolvers<unknown>()
  const clock = new VirtualClock(0)
  const deps: OpeningDeps = {
    signal: stop.signal,
    failed: failure.promise,
    clock,
    onSlow: (what) => void slow.push(what)
  }
  const opening = new Opening(deps)
  const close = async (what: string): Promise<void> => void closed.push(what)
  return { opening, closed, slow, stop, failure, clock, close }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const never = new Promise<string>(() => undefined)

test('what was opened is closed in the opposite order', async (t) => {
  const { opening, closed, close } = stage()
  t.is(await opening.take('opening a', async () => 'a', close), 'a')
  opening.defer(() => void closed.push('b'))
  await opening.take('opening c', async () => 'c', close)
  await opening.close()
  t.deepEqual(closed, ['c', 'b', 'a'])
})

const away = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_UNREACHABLE', 'nobody there', { retryable: true })

test('what may pass is waited for, and the reason told at most every ten seconds', async (t) => {
  const { opening, clock } = stage()
  const told: unknown[] = []
  let isThere = false
  let attempts = 0
  const work = async (): Promise<string> => {
    attempts++
    if (!isThere) throw away()
    return 'there'
  }
  const done = opening.insist(work, (error) => told.push(error))
  for (let second = 0; second < 12; second++) {
    await turn()
    clock.advance(1_000)
  }
  t.is(attempts, 12)
  t.is(told.length, 2)
  isThere = true
  await turn()
  clock.advance(1_000)
  t.is(await done, 'there')
})

test('what waiting does not cure ends it at once, and so does the stop', async (t) => {
  const { opening, clock, stop } = stage()
  const refused = new ParcomoloError('PARCOMOLO_LOG_REFUSED', 'no')
  await t.throwsAsync(
    opening.insist(
      () => Promise.reject(refused),
      () => t.fail()
    ),
    { is: refused }
  )
  const waiting = opening.insist(
    () => Promise.reject(away()),
    () => undefined
  )
  await turn()
  stop.abort(new Error('enough'))
  clock.advance(1_000)
  await t.throwsAsync(waiting, { message: 'enough' })
})

test('it tells which step is under way, and that it takes long', async (t) => {
  const { opening, slow, clock } = stage()
  const step = Promise.withResolvers<void>()
  const done = opening.step('counting sheep', () => step.promise)
  t.is(opening.doing, 'counting sheep')
  clock.advance(14_999)
  t.deepEqual(slow, [])
  clock.advance(1)
  clock.advance(15_000)
  t.deepEqual(slow, ['counting sheep', 'counting sheep'])
  step.resolve()
  await done
  clock.advance(60_000)
  t.is(slow.length, 2)
  opening.done()
  t.is(opening.doing, undefined)
})

test('a stop ends the step under way, and begins no other', async (t) => {
  const { opening, closed, stop, close } = stage()
  await opening.take('opening a', async () => 'a', close)
  const waiting = opening.take('opening b', () => never, close)
  stop.abort(new Error('enough'))
  await t.throwsAsync(waiting, { message: 'enough' })
  let begun = false
  await t.throwsAsync(
    opening.step('beginning', async () => void (begun = true)),
    { message: 'enough' }
  )
  t.false(begun)
  await opening.close()
  t.deepEqual(closed, ['a'])
})

test('what turns out to be open after the stop is closed as well', async (t) => {
  const { opening, closed, stop, close } = stage()
  const late = Promise.withResolvers<string>()
  const taking = opening.take('opening late', () => late.promise, close)
  stop.abort(new Error('enough'))
  await t.throwsAsync(taking, { message: 'enough' })
  await opening.close()
  t.deepEqual(closed, [])
  late.resolve('late')
  await turn()
  t.deepEqual(closed, ['late'])
})

test('a failure of what is open ends a start that would wait for ever', async (t) => {
  const { opening, failure } = stage()
  const waiting = opening.step('waiting', () => never)
  failure.resolve(new Error('the disk is gone'))
  await t.throwsAsync(waiting, { message: 'the disk is gone' })
})

test('what is half open when something fails is closed before what it stands on', async (t) => {
  const { opening, closed, failure, close } = stage()
  await opening.take('opening a', async () => 'a', close)
  const late = Promise.withResolvers<string>()
  const taking = opening.take('opening late', () => late.promise, close)
  failure.resolve(new Error('the disk is gone'))
  await t.throwsAsync(taking, { message: 'the disk is gone' })
  const closing = opening.close()
  await turn()
  t.deepEqual(closed, [])
  late.resolve('late')
  await closing
  t.deepEqual(closed, ['late', 'a'])
})

test('what cannot be opened is not closed', async (t) => {
  const { opening, closed, close } = stage()
  const broken = async (): Promise<string> => {
    throw new Error('broken')
  }
  await t.throwsAsync(opening.take('opening', broken, close), { message: 'broken' })
  await opening.close()
  t.deepEqual(closed, [])
})
