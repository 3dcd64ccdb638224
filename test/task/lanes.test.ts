import test from 'ava'
import type { Reader, StoredRecord } from '../../src/log/index.ts'
import type { Taken } from '../../src/task/inputs.ts'
import { Lanes } from '../../src/task/lanes.ts'

const place = { topic: 'order-events', partition: 0 }

const recordAt = (offset: number): StoredRecord => ({ key: 'k', value: null, timestamp: 0, headers: {}, offset })

/** What a task makes of a record that begins something; only where it stands matters here. */
const takenAt = (offset: number) => ({ record: recordAt(offset) }) as unknown as Taken

const lanesOn = (records: readonly StoredRecord[]): Lanes => {
  const reader: Reader = {
    take: () => [{ ...place, records }],
    ready: () => new Promise(() => undefined),
    close: () => undefined
  }
  return new Lanes({ log: { reader: () => reader }, resume: () => undefined, fail: () => undefined })
}

const holding = (lanes: Lanes): void => {
  for (const chunk of lanes.take(() => 10)) chunk.hold(chunk.records.map(({ offset }) => takenAt(offset)))
}

test('a batch that is closed between two beginnings has the position of the first (A3)', async (t) => {
  const lanes = lanesOn([recordAt(3), recordAt(4)])
  lanes.putOff('order', place, 3)
  holding(lanes)
  const batches: unknown[] = []
  const passed = async (): Promise<boolean> => {
    batches.push(lanes.takeChanged())
    return true
  }
  const isWhole = await lanes.begin(
    () => 10,
    () => true,
    passed
  )
  t.true(isWhole)
  t.deepEqual(batches, [{ 'order@order-events/0': 4 }, { 'order@order-events/0': 5 }])
})

test('where the stop comes between two beginnings, the second is not begun', async (t) => {
  const lanes = lanesOn([recordAt(3), recordAt(4)])
  lanes.putOff('order', place, 3)
  holding(lanes)
  let begun = 0
  const isWhole = await lanes.begin(
    () => 10,
    () => ++begun > 0,
    async () => false
  )
  t.false(isWhole)
  t.is(begun, 1)
})

test('what only a snapshot tells is put off, the next batch tells as well: a snapshot may be lost (A3)', (t) => {
  const lanes = lanesOn([])
  lanes.restore({ 'order@order-events/0': 3 }, false)
  t.true(lanes.hasChanged)
  t.deepEqual(lanes.takeChanged(), { 'order@order-events/0': 3 })
  lanes.restore({ 'order@order-events/0': 4 }, true)
  t.false(lanes.hasChanged)
})

test('where there is room for one only, the lanes take turns (A4)', async (t) => {
  const lanes = lanesOn([recordAt(3), recordAt(4)])
  for (const lane of ['order', 'loyalty']) lanes.putOff(lane, place, 3)
  holding(lanes)
  const begun: string[] = []
  for (let room = 1; begun.length < 4; room = 1)
    await lanes.begin(
      () => 10,
      (lane) => room-- > 0 && begun.push(lane) > 0,
      async () => true
    )
  t.deepEqual(begun.slice(0, 2).toSorted(), ['loyalty', 'order'])
  t.deepEqual(begun.slice(2).toSorted(), ['loyalty', 'order'])
})
