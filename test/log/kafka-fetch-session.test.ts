import test from 'ava'
import type { FetchFrom } from '../../src/log/kafka/fetch.ts'
import { FetchSession } from '../../src/log/kafka/fetch-session.ts'

test('the first request of a session names everything, and so does every one until the broker has given an id', (t) => {
  const session = new FetchSession()
  t.deepEqual(session.next([at(0, 5), at(1, 7)]), { id: 0, epoch: 0, from: [at(0, 5), at(1, 7)], forgotten: [] })
  session.answered(0)
  t.deepEqual(session.next([at(0, 6), at(1, 7)]), { id: 0, epoch: 0, from: [at(0, 6), at(1, 7)], forgotten: [] })
})

test('the next one names what has moved, what is new and what is no longer wanted', (t) => {
  const session = begun([at(0, 5), at(1, 7), at(2, 9)])
  const { id, epoch, from, forgotten } = session.next([at(0, 6), at(1, 7), at(3, 0)])
  t.deepEqual([id, epoch], [8, 1])
  t.deepEqual(from, [at(0, 6), at(3, 0)])
  t.deepEqual(forgotten, [at(2, 9).place])
  session.answered(8)
  t.deepEqual(session.next([at(0, 6), at(1, 7), at(3, 0)]), { id: 8, epoch: 2, from: [], forgotten: [] })
})

test('after a reset, and after an answer of another session, nothing is taken to be known', (t) => {
  const session = begun([at(0, 5)])
  session.reset()
  t.deepEqual(session.next([at(0, 5)]), { id: 0, epoch: 0, from: [at(0, 5)], forgotten: [] })
  session.answered(9)
  t.is(session.next([at(0, 5)]).epoch, 1)
})

const at = (partition: number, offset: number): FetchFrom => ({ place: { topic: 'order-events', partition }, offset })

const begun = (wanted: readonly FetchFrom[]): FetchSession => {
  const session = new FetchSession()
  session.next(wanted)
  session.answered(8)
  return session
}
