import test from 'ava'
import type { Log, LogHealth, StoredRecord } from '../../src/log/index.ts'
import { boundedLog } from '../../src/main/bounded-log.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { record } from '../log/records.ts'

const place = { topic: 'dead-letters', partition: 0 }
const stored: StoredRecord = { ...record('a'), offset: 0 }
const health: LogHealth = { ok: false, code: 'PARCOMOLO_LOG_UNREACHABLE', message: 'node 1 has failed for 29000 ms' }

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** A log that has given one chunk, and says nothing more from then on. */
const silenced = {
  ensureTopics: never<void>,
  end: never<number>,
  send: never<void>,
  durable: never<void>,
  health: () => health,
  read: async function* () {
    yield [stored]
    await never()
  }
} as unknown as Log

const calls: Readonly<Record<string, (log: ReturnType<typeof boundedLog>) => Promise<unknown>>> = {
  'the making and checking of topics': (log) => log.ensureTopics([]),
  "the end of 'dead-letters/0'": (log) => log.end(place),
  "the sending to 'dead-letters/0'": (log) => log.send([{ ...record('a'), ...place }]),
  "the storing of 'dead-letters/0'": (log) => log.durable(place, 1)
}

for (const [what, call] of Object.entries(calls))
  test(`a log that is silent for half a minute ends ${what}, and says why`, async (t) => {
    const clock = new VirtualClock(0)
    const waiting = call(boundedLog(silenced, clock))
    clock.advance(29_999)
    t.is(await Promise.race([waiting, Promise.resolve('still waiting')]), 'still waiting')
    clock.advance(1)
    const error = await t.throwsAsync(waiting, { code: 'PARCOMOLO_MAIN_LOG_SILENT' })
    const said = `the log has not answered within 30 s, which ${what} was waiting for (node 1 has failed for 29000 ms)`
    t.true(error!.message.startsWith(said), error!.message)
  })

test('of what is read each chunk has its time, so a long reading that goes on is not cut off', async (t) => {
  const clock = new VirtualClock(0)
  let chunks = 0
  const log = {
    ...silenced,
    read: async function* () {
      for (; chunks < 5; chunks++) {
        clock.advance(20_000)
        yield [stored]
      }
      await never()
    }
  } as unknown as Log
  const reading = boundedLog(log, clock).read(place, 0, 9)[Symbol.asyncIterator]()
  for (let i = 0; i < 5; i++) t.deepEqual((await reading.next()).value, [stored])
  const sixth = reading.next()
  clock.advance(30_000)
  await t.throwsAsync(sixth, { code: 'PARCOMOLO_MAIN_LOG_SILENT' })
})

test('who needs no more of what is read ends the reading', async (t) => {
  const ended = Promise.withResolvers<string>()
  const read = async function* () {
    try {
      for (;;) yield [stored]
    } finally {
      ended.resolve('ended')
    }
  }
  const log = boundedLog({ ...silenced, read } as unknown as Log, new VirtualClock(0))
  for await (const chunk of log.read(place, 0, 9)) {
    t.deepEqual(chunk, [stored])
    break
  }
  t.is(await ended.promise, 'ended')
})

test('an answer in time is passed on, and leaves no alarm behind', async (t) => {
  const clock = new VirtualClock(0)
  const log = boundedLog({ ...silenced, end: async () => 7 }, clock)
  t.is(await log.end(place), 7)
  clock.advance(60_000)
  await t.throwsAsync(boundedLog({ ...silenced, end: () => Promise.reject(new Error('no')) }, clock).end(place), {
    message: 'no'
  })
})
