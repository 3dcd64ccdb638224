import test from 'ava'
import { RoleProcess, type RoleSetup } from './role-process.ts'

/** In the place of the program, which is then but an argument. */
const processOf = async (resources: AsyncDisposableStack, code: string, setup: Partial<RoleSetup> = {}) =>
  RoleProcess.of(resources, {
    ...{ name: 'test', variables: {}, memoryBytes: 128 * 2 ** 20, args: ['-e', code], restartMs: 0 },
    ...setup
  })

const stays =
  "console.log('Parcomolo is ready at …'); process.once('SIGTERM', () => process.exit()); setInterval(() => 0, 1e3)"
const eats = 'const eaten = []; setInterval(() => eaten.push(Buffer.alloc(4e6, 1)), 1)'

test('what stays within its memory lives until it is told to stop, and tells how much it had at most', async (t) => {
  await using resources = new AsyncDisposableStack()
  const process = await processOf(resources, stays)
  await process.start()
  await process.stop()
  const { deaths, peakBytes, peakWithFilesBytes } = process.lives
  t.deepEqual(deaths, [])
  t.true(peakBytes > 0)
  t.true(peakWithFilesBytes > peakBytes)
})

test('what takes more than its memory is killed, begun again, and left alone after five deaths', async (t) => {
  await using resources = new AsyncDisposableStack()
  const process = await processOf(resources, eats)
  await t.throwsAsync(process.start(), { message: /'test' has died 5 times: SIGKILL/ })
  t.deepEqual(process.lives.deaths, Array(5).fill('SIGKILL'))
  t.true(process.isGivenUp)
})

test('a death is told with what the process said last', async (t) => {
  await using resources = new AsyncDisposableStack()
  const process = await processOf(resources, "console.error('Error: no disk'); process.exit(3)")
  await t.throwsAsync(process.start())
  t.is(process.lives.deaths[0], 'code 3 (Error: no disk)')
})
