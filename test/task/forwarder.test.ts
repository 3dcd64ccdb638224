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
  t.is(forwarder.forwarded, 7)
  t.deepEqual(forwarder.behind(10), [7])
})

test('a command that is of no use after a while says so to its participant', async (t) => {
  const sent = Promise.withResolvers<readonly LogRecord[]>()
  const send: Log['send'] = (records) => Promise.resolve(sent.resolve(records))
  const log = { send, partitionCount: () => 1 } as Partial<Log> as Log
  const journal = { topic: 'a-events', partition: 0 }
  const patience = new Patience(new VirtualClock(0))
  const forwarder = new Forwarder({ log, patience, journal, from: 0, fail: (error) => t.fail(String(error)) })
  const command = { inbox: 'b-commands', key: 'k', id: 'c', type: 'Add', attempt: 1, correlationId: 'x' }
  forwarder.add([{ ...command, value: new Uint8Array(), expiresAt: Date.UTC(2026, 10, 30, 12) }], 0, 0)
  forwarder.add([{ ...command, value: new Uint8Array() }], 1, 0)
  forwarder.kick()
  t.deepEqual(
    (await sent.promise).map(({ headers }) => headers['ce_expirytime']),
    ['2026-11-30T12:00:00.000Z', undefined]
  )
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
  while (forwarder.forwarded < 21) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(
    sends.map((records) => records.length),
    [...Array<number>(10).fill(2), 1]
  )
  t.is(forwarder.forwarded, 21)
})

test('an inbox that takes nothing holds up its own commands alone, and they are named one by one (F3)', async (t) => {
  const [sent, gate] = [[] as string[], Promise.withResolvers<void>()]
  const send: Log['send'] = async (records) => {
    if (records[0]!.topic === 'away-commands') await gate.promise
    sent.push(...records.map(({ topic, headers }) => `${topic} ${headers['ce_sequence']}`))
  }
  const log = { send, partitionCount: () => 1 } as Partial<Log> as Log
  const patience = new Patience(new VirtualClock(0))
  const journal = { topic: 'a-events', partition: 0 }
  const forwarder = new Forwarder({ log, patience, journal, from: 0, fail: (error) => t.fail(String(error)) })
  const command = (inbox: string) => ({
    ...{ inbox, key: 'k', id: 'c', type: 'Add', value: new Uint8Array(), attempt: 1, correlationId: 'x' }
  })
  forwarder.add([command('b-commands')], 3, 0)
  forwarder.add([command('away-commands'), command('b-commands')], 5, 0)
  forwarder.add([command('away-commands')], 6, 0)
  forwarder.add([], 8, 0)
  forwarder.kick()
  while (forwarder.forwarded < 5) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(sent, ['b-commands 3', 'b-commands 5'])
  t.is(forwarder.forwarded, 5)
  t.deepEqual(forwarder.behind(2), [5, 6])
  t.is(forwarder.behind(1), undefined)
  gate.resolve()
  while (forwarder.forwarded < 9) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(sent.slice(2), ['away-commands 5', 'away-commands 6'])
  t.deepEqual(forwarder.behind(2), [])
})
