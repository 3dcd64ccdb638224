import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log } from '../../src/log/index.ts'
import { Forwarder } from '../../src/task/forwarder.ts'
import { Patience } from '../../src/task/patience.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

test('a forwarder that is stopped while its inbox takes nothing does not count the command as forwarded', async (t) => {
  const clock = new VirtualClock(0)
  const refused = Promise.withResolvers<void>()
  const send: Log['send'] = () => {
    refused.resolve()
    return Promise.reject(new ParcomoloError('PARCOMOLO_LOG_FULL', 'the disk is full', { retryable: true }))
  }
  const log = { send, partitionCount: () => 1 } as Partial<Log> as Log
  const journal = { topic: 'a-events', partition: 0 }
  const patience = new Patience(clock)
  const forwarder = new Forwarder({ log, patience, journal, from: 5, fail: (error) => t.fail(String(error)) })
  const [inbox, value] = ['b-commands', new Uint8Array()]
  forwarder.add([{ inbox, key: 'k', id: 'c', type: 'Add', value, attempt: 1, correlationId: 'x' }], 7, 0)
  forwarder.kick()
  await refused.promise
  await new Promise((resolve) => setImmediate(resolve))
  patience.stop()
  forwarder.stop()
  clock.advance(1000)
  await new Promise((resolve) => setImmediate(resolve))
  t.is(forwarder.forwarded, 5)
})
