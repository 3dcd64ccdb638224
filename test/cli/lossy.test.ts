import { Writable } from 'node:stream'
import test from 'ava'
import { lossy } from '../../src/cli/lossy.ts'

/** A stream whose disk is full now and then, or whose reader stands still. */
const stage = () => {
  const written: string[] = []
  const told: [number, string][] = []
  let fault: string | undefined
  let isStill = false
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (isStill) return
      if (fault !== undefined) return done(Object.assign(new Error('no'), { code: fault }))
      written.push(chunk.toString())
      done()
    },
    // As stdout and stderr are: no error destroys them for good.
    destroy(error, done) {
      done(error)
      ;(this as Writable & { _undestroy(): void })._undestroy()
    }
  })
  const state = lossy(stream as unknown as NodeJS.WriteStream, (count, reason) => told.push([count, reason]))
  const say = async (text: string): Promise<unknown> =>
    new Promise((resolve) => void stream.write(text, (error) => resolve(error)))
  return {
    ...{ state, stream, written, told, say },
    fail: (code: string | undefined) => (fault = code),
    stand: () => (isStill = true)
  }
}

test('what a full disk does not take is counted, and told once when there is room again', async (t) => {
  const { state, written, told, say, fail } = stage()
  await say('one')
  fail('ENOSPC')
  t.truthy(await say('two'))
  fail('EIO')
  await say('three')
  t.deepEqual(told, [])
  fail(undefined)
  await say('four')
  await say('five')
  t.deepEqual(written, ['one', 'four', 'five'])
  t.deepEqual(told, [[2, 'EIO']])
  t.is(state.lostCount, 2)
})

test('for a reader that stands still a bounded number of bytes waits', async (t) => {
  const { state, stream, say, stand } = stage()
  stand()
  for (let i = 0; i < 100; i++) stream.write('x'.repeat(100_000))
  t.true(stream.writableLength < 1_200_000)
  t.is(await say('never'), undefined)
  t.is(state.reason, 'nobody reads it')
  t.is(state.lostCount, 100 - 11 + 1)
})
