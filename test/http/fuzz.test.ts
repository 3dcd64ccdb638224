import test from 'ava'
import { fuzz } from './fuzz-run.ts'

/** `npm run fuzz` sends many more, on another seed each time. */
const count = 1_500
const seed = '1'

test('requests of all forms, right and wrong, are answered as documented, without a 5xx and cheaply', async (t) => {
  t.timeout(60_000 + count * 40)
  const { faults, statuses, cpuMsMax } = await fuzz(count, seed)
  t.log(`${count} requests, seed ${seed}: ${JSON.stringify(statuses)}; at most ${cpuMsMax.toFixed(1)} ms of CPU`)
  t.deepEqual(faults.slice(0, 10), [])
})
