/** `npm run fuzz`: the long form of `fuzz.test.ts`. */
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz-run.ts'

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '60000' }, seed: { type: 'string', default: String(Date.now()) } }
})
console.log(`${values.requests} requests, seed ${values.seed}`)
const { faults, statuses, cpuMsMax } = await fuzz(Number(values.requests), values.seed)
console.log(`by status: ${JSON.stringify(statuses)}; at most ${cpuMsMax.toFixed(1)} ms of CPU for one`)
for (const fault of faults.slice(0, 20)) console.error(JSON.stringify(fault))
console.log(faults.length === 0 ? 'no fault was found' : `${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
