import { getEventListeners } from 'node:events'
import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { Cluster } from '../../src/log/kafka/cluster.ts'
import type { Connector } from '../../src/log/kafka/kafkajs.ts'

const hour = 3_600_000

/** Pauses alone: nobody is connected to. */
const cluster = (): Cluster => new Cluster({} as Connector, ['127.0.0.1:1'])

test('of pauses that are over nothing is kept', async (t) => {
  const [pausing, leaving] = [cluster(), new AbortController()]
  for (let i = 0; i < 20; i++) await pausing.pause(0, leaving.signal)
  t.is(getEventListeners(leaving.signal, 'abort').length, 0)
})

test('a pause ends early by its signal, and begins no more after it', async (t) => {
  const [pausing, leaving] = [cluster(), new AbortController()]
  const paused = pausing.pause(hour, leaving.signal)
  leaving.abort()
  await t.notThrowsAsync(paused)
  await t.notThrowsAsync(pausing.pause(hour, leaving.signal))
})

test('all pauses end with the log, with its reason, and so does each that begins later', async (t) => {
  const pausing = cluster()
  const reason = new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')
  const paused = [pausing.pause(hour), pausing.pause(hour)]
  await pausing.close(reason)
  for (const one of paused) t.is(await t.throwsAsync(one), reason)
  t.is(await t.throwsAsync(pausing.pause(hour)), reason)
})
