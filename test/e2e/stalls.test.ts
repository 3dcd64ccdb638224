import test from 'ava'
import { longestStalls, stallsTold } from './stalls.ts'

const place = 'order-events/0'
const asked = (askedAt: number, answeredAt: number, at = place) => ({ place: at, askedAt, answeredAt })
const batches = (...times: number[]) => new Map([[place, times]])

test('a partition stalls from what it is asked to the batch that answers', (t) => {
  t.deepEqual(longestStalls([asked(100, 350)], batches(50, 350, 900), 0, 1000), [{ place, ms: 250 }])
})

test('where nothing is waiting, nothing stalls, however long no batch comes', (t) => {
  t.deepEqual(longestStalls([asked(100, 110), asked(900, 905)], batches(110, 905), 0, 1000), [{ place, ms: 10 }])
  t.deepEqual(longestStalls([], batches(110, 905), 0, 1000), [])
})

test('batches that answer others cut the waiting, but do not end it', (t) => {
  t.deepEqual(longestStalls([asked(100, 900)], batches(150, 300, 900), 0, 1000), [{ place, ms: 600 }])
})

test('a batch that comes too early to have seen the demand does not hide the stall', (t) => {
  t.deepEqual(longestStalls([asked(100, 3100)], batches(101, 3100), 0, 5000), [{ place, ms: 2999 }])
})

test('stalls count that begin within the time that is looked at, to their end', (t) => {
  const demands = [asked(0, 90), asked(150, 170), asked(195, 400), asked(500, 900)]
  t.deepEqual(longestStalls(demands, batches(90, 170, 400, 900), 100, 200), [{ place, ms: 205 }])
  const cut = longestStalls([asked(50, 180)], batches(120, 180), 100, 200)
  t.deepEqual(cut, [{ place, ms: 60 }])
})

test('each partition has its own, the longest first', (t) => {
  const demands = [asked(0, 100), asked(0, 400, 'stock-events/0'), asked(0, 200, 'saga-events/1')]
  const stalls = longestStalls(demands, new Map(), 0, 1000)
  t.deepEqual(
    stalls.map((stall) => stall.place),
    ['stock-events/0', 'saga-events/1', place]
  )
  t.is(
    stallsTold(stalls),
    '3 partitions stalled for 0.4 s at most, median 0.2 s ' +
      '(the longest: stock-events/0 0.4, saga-events/1 0.2, order-events/0 0.1)'
  )
})
