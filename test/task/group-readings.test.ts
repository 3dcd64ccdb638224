import test, { type ExecutionContext } from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { type Log, type LogRecord, type TopicPartition } from '../../src/log/index.ts'
import { GroupReadings, lastSequence } from '../../src/task/group-readings.ts'
import { Unanswered } from '../../src/task/unanswered.ts'
import { inbox, journal, Stage } from './stage.ts'

const window = { initial: 10, min: 10, max: 10 }
const place = `${inbox.topic}/0`

/** Commands of one journal in an inbox that others write to as well, and a group that reads it elsewhere. */
class Desk {
  committed: number | undefined
  failure: Error | undefined
  asked = 0
  reads = 0
  readonly told: unknown[] = []
  readonly unanswered: Unanswered
  readonly readings: GroupReadings
  readonly #stage: Stage

  constructor(t: ExecutionContext, stage: Stage) {
    this.#stage = stage
    this.unanswered = new Unanswered({
      partitionCount: () => 1,
      tellsReading: () => false,
      onClock: () => undefined,
      limits: { window, windowUntold: window, unansweredMax: 100 },
      startedAt: 0
    })
    const log = stage.log
    const committed: NonNullable<Log['committed']> = (group, topic) => {
      this.asked++
      t.deepEqual([group, topic], ['loyalty-service', inbox.topic])
      if (this.failure !== undefined) return Promise.reject(this.failure)
      return Promise.resolve(new Map(this.committed === undefined ? [] : [[0, this.committed]]))
    }
    this.readings = new GroupReadings({
      ...{ clock: stage.clock, journal, unanswered: this.unanswered },
      log: {
        committed,
        read: (at: TopicPartition, from: number, to: number) => log.read(at, from, to)
      } as unknown as Log,
      groupOf: () => 'loyalty-service',
      onRead: () => this.reads++,
      onFailure: (_, error) => this.told.push(error)
    })
    this.readings.start()
    t.teardown(() => this.readings.stop())
  }

  /** An entity whose command is the event at this offset of the journal. */
  await(entity: string, offset: number): void {
    const awaited = [{ index: 0, sentAt: 0, dueAt: 1_000, inbox: inbox.topic }]
    this.unanswered.change(entity, 'k', awaited, { offset, now: 0, isAnswer: false })
  }

  /** Until whatever begins now has come to its end. */
  async second(): Promise<void> {
    this.#stage.clock.advance(1_000)
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  isUnread(entity: string): boolean {
    const attempt = this.unanswered.attemptOf(entity, 0)({ index: 0, sentAt: 0, dueAt: 1_000, inbox: inbox.topic })
    return attempt?.kind !== 'read'
  }
}

const command = (source: string, sequence: number): LogRecord & TopicPartition => ({
  ...{ ...inbox, key: 'k', value: Buffer.from('x'), timestamp: 0 },
  headers: { ce_source: source, ce_sequence: String(sequence) }
})

test('what the group of a participant has committed counts as read, whoever else writes to its inbox', async (t) => {
  const stage = await Stage.open(t)
  const desk = new Desk(t, stage)
  await stage.log.send([command('/a-events/0', 4), command('/other', 9), command('/a-events/0', 5)])
  desk.await('first', 4)
  desk.await('second', 5)
  await desk.second()
  t.deepEqual([desk.asked, desk.isUnread('first')], [1, true], 'a group that has committed nothing tells nothing')
  desk.committed = 2
  await desk.second()
  t.deepEqual([desk.isUnread('first'), desk.isUnread('second'), desk.reads], [false, true, 1])
  const load = desk.unanswered.loads.get(place)
  t.true(load?.isTold, 'from now on what it has not committed is known to be unread')
  desk.committed = 3
  await desk.second()
  t.deepEqual([desk.isUnread('second'), desk.reads], [false, 2])
})

test('what retention has deleted before the committed offset hides nothing that stands behind it', async (t) => {
  const stage = await Stage.open(t)
  const { log } = stage
  await log.send(Array.from({ length: 8 }, (_, i) => command('/a-events/0', i)))
  const from: number[] = []
  const read: Log['read'] = (place, first, to) => {
    from.push(first)
    if (first < 6) throw new ParcomoloError('PARCOMOLO_LOG_OUT_OF_RANGE', 'deleted')
    return log.read(place, first, to)
  }
  const aged = { read } as Partial<Log> as Log
  t.is(await lastSequence(aged, '/a-events/0', inbox, 8), 7)
  t.deepEqual(from, [0, 4, 6])
  t.is(await lastSequence(aged, '/a-events/0', inbox, 6), undefined)
  await t.throwsAsync(
    lastSequence(
      {
        read: () => {
          throw new Error('away')
        }
      } as Partial<Log> as Log,
      '/a',
      inbox,
      1
    ),
    {
      message: 'away'
    }
  )
})

test('a group is asked for only while something is unread, and a failure is told once', async (t) => {
  const stage = await Stage.open(t)
  const desk = new Desk(t, stage)
  await desk.second()
  t.is(desk.asked, 0)
  await stage.log.send([command('/a-events/0', 1)])
  desk.await('one', 1)
  desk.failure = new Error('GROUP_AUTHORIZATION_FAILED')
  await desk.second()
  await desk.second()
  t.deepEqual([desk.asked, desk.told], [2, [desk.failure]])
  const { failure } = desk
  desk.failure = undefined
  desk.committed = 1
  await desk.second()
  t.deepEqual(desk.told, [failure, undefined])
  t.false(desk.isUnread('one'))
  await desk.second()
  t.is(desk.asked, 3)
})
