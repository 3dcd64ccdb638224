import test from 'ava'
import { RateLimiter, TokenBucket } from '../../../src/operator/kube/rate-limiter.ts'
import { WorkQueue } from '../../../src/operator/kube/work-queue.ts'
import { VirtualClock } from '../../helpers/virtual-clock.ts'

const setUp = () => {
  const clock = new VirtualClock(0)
  return { clock, queue: new WorkQueue(clock, new RateLimiter(clock)) }
}

test('keys come out in the order in which they went in, each once', async (t) => {
  const { queue } = setUp()
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
  t.is(queue.depth, 3)
  t.deepEqual([await queue.take(), await queue.take(), await queue.take()], ['a', 'b', 'c'])
  t.is(queue.depth, 0)
})

test('a key is in one pair of hands: added meanwhile, it comes once more when it is done', async (t) => {
  const { queue } = setUp()
  queue.add('a')
  t.is(await queue.take(), 'a')
  queue.add('a')
  queue.add('a')
  t.is(queue.depth, 0)
  queue.add('b')
  t.is(await queue.take(), 'b')
  queue.done('a')
  t.is(queue.depth, 1)
  t.is(await queue.take(), 'a')
  queue.done('a')
  t.is(queue.depth, 0)
})

test('whoever waits for work is given the next key', async (t) => {
  const { queue } = setUp()
  const taken = [queue.take(), queue.take()]
  queue.add('a')
  queue.add('b')
  t.deepEqual(await Promise.all(taken), ['a', 'b'])
})

test('what comes later comes at the earliest of its times, once', async (t) => {
  const { clock, queue } = setUp()
  queue.addAfter('a', 5_000)
  queue.addAfter('a', 1_000)
  queue.addAfter('a', 3_000)
  clock.advance(999)
  t.is(queue.depth, 0)
  clock.advance(1)
  t.is(queue.depth, 1)
  t.is(await queue.take(), 'a')
  queue.done('a')
  clock.advance(10_000)
  t.is(queue.depth, 0)
})

test('what is added at once need not come again later', (t) => {
  const { clock, queue } = setUp()
  queue.addAfter('a', 1_000)
  queue.add('a')
  t.is(queue.depth, 1)
  clock.advance(2_000)
  t.is(queue.depth, 1)
})

test('a key that fails comes later each time, up to a minute, until it is forgotten', (t) => {
  const limiter = new RateLimiter(new VirtualClock(0))
  const delays = Array.from({ length: 14 }, () => limiter.delayMs('a'))
  t.deepEqual(delays.slice(0, 5), [200, 400, 800, 1_600, 3_200])
  t.deepEqual(delays.slice(11), [60_000, 60_000, 60_000])
  t.is(limiter.delayMs('b'), 200)
  limiter.forget('a')
  t.is(limiter.delayMs('a'), 200)
})

test('when very many keys fail they come back at ten a second', (t) => {
  const limiter = new RateLimiter(new VirtualClock(0))
  const delays = Array.from({ length: 300 }, (_, i) => limiter.delayMs(`key ${i}`))
  t.is(delays[99], 200)
  t.is(delays[299], 20_000)
})

test('a bucket gives what it has, and what has been refilled since', (t) => {
  const clock = new VirtualClock(0)
  const bucket = new TokenBucket(clock, 2, 1_000)
  t.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false])
  clock.advance(999)
  t.false(bucket.take())
  clock.advance(1)
  t.deepEqual([bucket.take(), bucket.take()], [true, false])
  clock.advance(100_000)
  t.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false])
})

test('a queue that is shut down gives nothing and takes nothing', async (t) => {
  const { clock, queue } = setUp()
  const waiting = queue.take()
  queue.addAfter('later', 1_000)
  queue.shutDown()
  t.is(await waiting, undefined)
  queue.add('a')
  clock.advance(2_000)
  t.is(queue.depth, 0)
  t.is(await queue.take(), undefined)
})
