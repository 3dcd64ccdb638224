import test from 'ava'
import { missedCounts, missedTimes, type Result } from './result.ts'

const life = { name: 'order', memoryBytes: 100, peakBytes: 50, peakWithFilesBytes: 70, deaths: [] }

const right: Result = {
  ...{ name: 'order away', waiting: 10, ended: 10, lives: [life] },
  commands: { 'inventory-commands': { usual: 2, here: 2.2 } },
  rate: { usual: 100, here: 80, min: 0.8 },
  others: { 'orders by REST': [{ name: 'away', asked: 2, answeredMs: [1], refused: 1 }] },
  wrong: []
}

test('a backlog at its goals misses none', (t) => {
  t.deepEqual(missedCounts(right), [])
  t.deepEqual(missedTimes(right), [])
})

test('deaths, commands sent in vain, lost answers and what the journals lack are missed goals in counts', (t) => {
  t.deepEqual(missedCounts({ ...right, lives: [life, { ...life, name: 'view', deaths: ['SIGKILL', 'SIGKILL'] }] }), [
    'view has died 2 times: SIGKILL'
  ])
  t.deepEqual(missedCounts({ ...right, commands: { 'inventory-commands': { usual: 2, here: 2.21 } } }), [
    '2.21 commands an order on inventory-commands; as usual it is 2.00, goal <= 1.1 times'
  ])
  const others = { 'orders by REST': [{ name: 'away', asked: 2, answeredMs: [1], refused: 0 }] }
  t.deepEqual(missedCounts({ ...right, others }), ['1 of orders by REST were never answered'])
  t.deepEqual(missedCounts({ ...right, wrong: ['3 orders have not ended'] }), ['3 orders have not ended'])
})

test('a slow machine misses goals in times only', (t) => {
  const slow = { ...right, rate: { usual: 100, here: 79, min: 0.8 }, doneMs: 20_000, doneMsMax: 15_000 }
  t.deepEqual(missedTimes(slow), ['79 orders/s; goal >= 0.8 times 100', 'done after 20.0 s; goal <= 15 s'])
  t.deepEqual(missedCounts(slow), [])
})
