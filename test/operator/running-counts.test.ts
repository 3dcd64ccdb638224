import test from 'ava'
import type { RunningCount } from '../../src/operator/ports.ts'
import { RunningCounts } from '../../src/operator/running-counts.ts'
import { VirtualTime } from '../helpers/virtual-time.ts'

test('it asks every ten seconds, says what has changed, and keeps what it knows while nobody answers', async (t) => {
  const time = new VirtualTime(t.title)
  let now: RunningCount[] | Error = [{ saga: 'a', revision: '1', count: 2 }]
  const changes: unknown[] = []
  const errors: string[] = []
  const counts = new RunningCounts({
    running: {
      count: async () => {
        if (now instanceof Error) throw now
        return now
      }
    },
    clock: { now: () => time.now(), at: (at, call) => time.after(at - time.now(), call) },
    onChanged: (sagas) => void changes.push(sagas),
    onError: (error) => void errors.push(String(error))
  })
  t.is(counts.of('a'), undefined)
  counts.start()
  await time.pass(0)
  t.deepEqual(changes, [undefined])
  t.deepEqual(counts.of('a'), now)
  t.deepEqual(counts.of('b'), [])
  now = [{ saga: 'b', revision: '1', count: 1 }]
  await time.pass(10_000)
  t.deepEqual(changes.slice(1), [['a', 'b']])
  await time.pass(60_000)
  t.is(changes.length, 2)
  now = new Error('away')
  await time.pass(60_000)
  t.deepEqual(errors, ['Error: away'])
  t.is(counts.of('b')!.length, 1)
  await counts.stop()
  now = []
  await time.pass(60_000)
  t.is(counts.of('b')!.length, 1)
})
