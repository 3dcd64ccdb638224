import test from 'ava'
import { told } from '../helpers/auditor.ts'
import { auditArrivals, auditBacklog, type Window } from '../helpers/auditor/backlog.ts'
import { Journals } from '../helpers/auditor/events.ts'
import { auditLanes } from '../helpers/auditor/lanes.ts'
import { type Fact, schemas, written } from './journal-writing.ts'

const timeoutMs = 5000

/** What happens to commands of one load, told in its order; each has its time. */
class Story {
  readonly facts: Fact[] = []
  #offset = 0

  saga(type: string, key: string, at: number, value: Record<string, unknown> = {}): this {
    const about = { saga: 'order', key, step: 'stock', undo: false, ...value }
    this.facts.push({ topic: 'saga-events', type, value: about, headers: this.#headers, at })
    this.#offset++
    this.#headers = {}
    return this
  }

  send(key: string, at: number, attempt = 1): this {
    const sequence = String(this.#offset)
    const commandId = `order/stock/${key}`
    const sent = { attempt, commandId, command: 'ReserveStock', inbox: 'inventory-commands', dueAt: at + timeoutMs }
    this.saga('CommandIssued', key, at, sent)
    const headers = { ce_id: commandId, ce_source: '/saga-events/0', ce_sequence: sequence }
    this.facts.push({ topic: 'inventory-commands', type: 'ReserveStock', value: { orderId: key }, headers, at })
    return this
  }

  pause(key: string, at: number): this {
    return this.saga('RetryScheduled', key, at, { dueAt: at + 100 })
  }

  /** The participant has read so far. */
  read(to: number, at: number): this {
    const headers = { 'parcomolo-positions': JSON.stringify({ 'from:saga-events/0@inventory-commands/0': to }) }
    this.facts.push({ topic: 'stock-events', type: 'JournalMarker', value: { owner: 'i' }, headers, at })
    return this
  }

  /** The orchestrator has read so far, and says so with its next event. */
  seen(positions: Record<string, number>, lanes?: Record<string, number>): this {
    this.#headers = {
      'parcomolo-positions': JSON.stringify(positions),
      ...(lanes === undefined ? {} : { 'parcomolo-lanes': JSON.stringify(lanes) })
    }
    return this
  }

  takeOver(at: number): this {
    const headers = { 'parcomolo-fence': 'another' }
    this.facts.push({ topic: 'saga-events', type: 'JournalMarker', value: { owner: 'another' }, headers, at })
    this.#offset++
    return this
  }

  place(orderId: string): this {
    const value = { orderId, lines: [], totalCents: 1 }
    this.facts.push({ topic: 'order-events', type: 'OrderPlaced', value })
    return this
  }

  judge(window?: Window): string {
    const journals = new Journals(written(this.facts), schemas)
    return told([...auditBacklog(journals, window).violations, ...auditLanes(journals)])
  }

  arrivals(): string {
    return told(auditArrivals(new Journals(written(this.facts), schemas)))
  }

  #headers: Record<string, string> = {}
}

const two = () => new Story().send('a', 0).send('b', 0)

const sound: Readonly<Record<string, Story>> = {
  'a command that was read and is overdue': new Story().send('a', 0).read(1, 1000).pause('a', 6000).send('a', 6100, 2),
  'commands that were read, side by side': two().read(2, 1000).pause('a', 6000).pause('b', 6000),
  'a probe, at one attempt after the other': two()
    .pause('a', 5000)
    .send('a', 5100, 2)
    .pause('a', 10_100)
    .send('a', 10_200, 3)
    .pause('a', 15_200),
  'another probe, when something was read': two()
    .pause('a', 5000)
    .read(1, 6000)
    .seen({ 'stock-events/0': 1 })
    .pause('b', 11_000),
  'another probe, when the first has an answer': two()
    .pause('a', 5000)
    .saga('StepSucceeded', 'a', 5050)
    .pause('b', 5050),
  'another probe, when the first is of no use': two()
    .pause('a', 5000)
    .saga('CompensationStarted', 'a', 5050)
    .pause('b', 5050),
  'another probe of another owner': two().pause('a', 5000).takeOver(6000).pause('b', 11_000),
  'a probe of an owner who may know of a snapshot what was read before': two()
    .read(1, 500)
    .takeOver(1000)
    .seen({ 'stock-events/0': 1 })
    .saga('StepSucceeded', 'a', 2000)
    .pause('b', 5900),
  'what was unknown and is asked for again': new Story()
    .send('a', 0)
    .read(1, 1000)
    .saga('StepUnknown', 'a', 6000)
    .pause('a', 6000)
    .send('a', 6100, 2),
  'sagas that start as their events are passed': new Story()
    .place('a')
    .place('b')
    .seen({ 'order-events/0': 2 }, { 'order@order-events/0': 1 })
    .saga('SagaStarted', 'a', 0)
    .seen({ 'stock-events/0': 1 }, {})
    .saga('SagaStarted', 'b', 9)
}

for (const [what, story] of Object.entries(sound)) test(`accepts ${what}`, (t) => t.is(story.judge(), ''))

const doctored: Readonly<Record<string, readonly [RegExp, Story]>> = {
  'a second command that is sent again unread': [
    /'order\/b stock' is sent again though nobody has read it, nor the probe/,
    two().pause('a', 5000).pause('b', 5000)
  ],
  'a second one, where what was read was known before': [
    /'order\/b stock' is sent again though nobody has read it, nor the probe/,
    new Story()
      .send('x', 0)
      .read(1, 10)
      .send('a', 20)
      .send('b', 20)
      .seen({ 'stock-events/0': 1 })
      .pause('a', 6000)
      .pause('b', 6000)
  ],
  'a probe while others are read': [
    /'order\/b stock' is sent again unread, and too soon/,
    two().read(1, 4000).seen({ 'stock-events/0': 1 }).saga('StepSucceeded', 'a', 4001).pause('b', 5000)
  ],
  'a command that is sent again before it is overdue': [
    /'order\/a stock' is sent again unread, and too soon/,
    new Story().send('a', 0).pause('a', 4000)
  ],
  'a command that is sent again before its pause is over': [
    /'order\/a stock' was sent again before it was time to/,
    new Story().send('a', 0).pause('a', 5000).send('a', 5050, 2)
  ],
  'a command that is sent again though nobody has decided so': [
    /'order\/a stock' was sent again before it was time to/,
    new Story().send('a', 0).send('a', 9000, 2)
  ],
  'a command that is sent twice as its first attempt': [
    /'order\/a stock' was sent twice as attempt 1/,
    new Story().send('a', 0).send('a', 0)
  ],
  'a command that is given up unread': [
    /'order\/a stock' is given up, though it may not have been read/,
    new Story().send('a', 0).saga('StepUnknown', 'a', 25_000)
  ],
  'a saga that starts though its event was put off': [
    /saga 'b' has started, but its event was not passed before 2/,
    new Story()
      .place('a')
      .place('b')
      .seen({ 'order-events/0': 2 }, { 'order@order-events/0': 1 })
      .saga('SagaStarted', 'a', 0)
      .saga('SagaStarted', 'b', 0)
  ],
  'sagas that start out of turn': [
    /saga 'b' has started out of turn/,
    new Story()
      .place('a')
      .place('b')
      .seen({ 'order-events/0': 2 }, { 'order@order-events/0': 0 })
      .saga('PivotReached', 'z', 0)
      .seen({ 'order-events/0': 2 }, {})
      .saga('SagaStarted', 'b', 0)
      .saga('SagaStarted', 'a', 0)
  ],
  'a saga that was passed over': [
    /saga 'a' was passed, but has not started before 1/,
    new Story()
      .place('a')
      .seen({ 'order-events/0': 1 })
      .saga('PivotReached', 'z', 0)
      .seen({ 'stock-events/0': 1 })
      .saga('SagaStarted', 'a', 0)
  ]
}

for (const [what, [expected, story]] of Object.entries(doctored))
  test(`rejects ${what}`, (t) => t.regex(story.judge(), expected))

test('rejects a command that has arrived more often than owners could send it', (t) => {
  const story = (): Story => new Story().send('a', 0)
  const again = (told: Story, count: number): string => {
    const command = told.facts.find(({ topic }) => topic === 'inventory-commands')!
    told.facts.push(...Array.from({ length: count }, () => command))
    return told.arrivals()
  }
  t.is(again(story(), 0), '')
  t.regex(again(story(), 1), /\/saga-events\/0\/0 in inventory-commands\/0 has arrived 2 times/)
  t.is(again(story().takeOver(10), 1), '')
  t.regex(again(story().takeOver(10), 2), /has arrived 3 times/)
})

test('rejects a saga that starts behind a full window, or too much that is unanswered', (t) => {
  const window = { unread: 2, unanswered: 4 }
  const start = (story: Story): string => story.saga('SagaStarted', 'new', 100).judge(window)
  t.is(start(two().read(1, 50)), '')
  t.regex(start(two()), /a saga starts behind 2 unread and 2 unanswered in saga-events\/0@inventory-commands\/0/)
  t.is(start(two().send('c', 0).read(3, 50)), '')
  t.regex(start(two().send('c', 0).send('d', 0).read(4, 50)), /behind 0 unread and 4 unanswered/)
  t.is(start(two().saga('StepSucceeded', 'a', 50)), '')
})
