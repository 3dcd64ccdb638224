import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log, LogRecord, TopicPartition } from '../../src/log/index.ts'
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

test('what waits is sent in bounded sends, and holds the task up by its bytes, too', async (t) => {
  const gate = Promise.withResolvers<void>()
  const sends: (readonly (LogRecord & TopicPartition)[])[] = []
  const send: Log['send'] = (records) => {
    sends.push(records)
    return gate.promise
  }
  const log = { send, partitionCount: () => 1 } as Partial<Log> as Log
  const journal = { topic: 'a-events', partition: 0 }
  const patience = new Patience(new VirtualClock(0))
  const forwarder = new Forwarder({ log, patience, journal, from: 0, fail: (error) => t.fail(String(error)) })
  const add = (offset: number, bytes: number): void => {
    const [inbox, value] = ['b-commands', new Uint8Array(bytes)]
    forwarder.add([{ inbox, key: 'k', id: 'c', type: 'Add', value, attempt: 1, correlationId: 'x' }], offset, 0)
  }
  for (let offset = 0; offset < 20; offset++) add(offset, 400_000)
  forwarder.kick()
  t.is(forwarder.relief(), undefined)
  add(20, 9_000_000)
  const relief = forwarder.relief()
  t.not(relief, undefined)
  gate.resolve()
  await relief
  t.deepEqual(
    sends.map((records) => records.length),
    [...Array<number>(10).fill(2), 1]
  )
  t.is(forwarder.forwarded, 21)
})
