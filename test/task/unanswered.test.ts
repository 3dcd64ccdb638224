import test from 'ava'
import { Budget } from '../../src/base/index.ts'
import type { Awaited } from '../../src/task/component.ts'
import { RetryBudget } from '../../src/task/retry-budget.ts'
import { Unanswered } from '../../src/task/unanswered.ts'
import { Window } from '../../src/task/window.ts'

const inbox = 'pay-commands'
const place = `${inbox}/0`
const timeoutMs = 1_000

/** Commands of entities to one inbox partition, each an event of the journal, and what becomes of them. */
class Desk {
  readonly woken: string[] = []
  readonly unanswered: Unanswered
  now = 0
  #offset = 0

  constructor(
    given: { isTold?: boolean; unreadMax?: number; unreadMin?: number; unansweredMax?: number; living?: Budget } = {}
  ) {
    const { isTold = true, unreadMax = 3, unansweredMax = 100, living = new Budget(Infinity) } = given
    const window = { initial: unreadMax, min: given.unreadMin ?? unreadMax, max: unreadMax }
    this.unanswered = new Unanswered({
      partitionCount: () => 1,
      tellsReading: () => isTold,
      onClock: (entity) => this.woken.push(entity),
      limits: { window, windowUntold: window, unansweredMax },
      living,
      startedAt: 0
    })
  }

  /** Gives the sequence of the command. */
  send(entity: string): number {
    this.#change(entity, [{ index: 0, sentAt: this.now, dueAt: this.now + timeoutMs, inbox }])
    return this.#offset - 1
  }

  /** As a snapshot has it whose entity was changed last at this offset, after its command was sent. */
  restore(entity: string, offset: number, isPaused = false): void {
    const awaited = isPaused ? { index: 0, dueAt: 100, inbox } : { index: 0, sentAt: 0, dueAt: timeoutMs, inbox }
    this.unanswered.change(entity, 'k', [awaited], { offset, now: 0, isAnswer: false, isRestored: true })
    this.#offset = Math.max(this.#offset, offset + 1)
  }

  pause(entity: string, ms = 100): void {
    this.#change(entity, [{ index: 0, dueAt: this.now + ms, inbox }])
  }

  answer(entity: string): void {
    this.#change(entity, [], true)
  }

  giveUp(entity: string): void {
    this.#change(entity, [])
  }

  read(to: number): void {
    this.unanswered.read(place, to, this.now)
  }

  attempt(entity: string, sentAt: number | undefined = 0, dueAt = 0): unknown {
    const awaited: Awaited = sentAt === undefined ? { index: 0, dueAt, inbox } : { index: 0, sentAt, dueAt, inbox }
    return this.unanswered.attemptOf(entity, this.now)(awaited)
  }

  paused(entity: string): unknown {
    return this.unanswered.attemptOf(entity, this.now)({ index: 0, dueAt: this.now, inbox })
  }

  #change(entity: string, awaited: readonly Awaited[], isAnswer = false): void {
    this.unanswered.change(entity, 'k', awaited, { offset: this.#offset++, now: this.now, isAnswer })
  }
}

test('a command is read once its participant has read its inbox so far, and no sooner (U1)', (t) => {
  const desk = new Desk()
  desk.send('a')
  const second = desk.send('b')
  desk.now = 40
  desk.read(second)
  t.deepEqual(desk.attempt('a'), { kind: 'read', at: 40 })
  desk.now = 70
  desk.read(second + 1)
  t.deepEqual(desk.attempt('a'), { kind: 'read', at: 40 })
  t.deepEqual(desk.attempt('b'), { kind: 'read', at: 70 })
})

test('an answer tells that all before it in the inbox were read, the rest stays unread (U1)', (t) => {
  const desk = new Desk({ isTold: false })
  for (const entity of ['a', 'b', 'c', 'd']) desk.send(entity)
  desk.now = 30
  desk.answer('b')
  t.deepEqual(desk.attempt('a'), { kind: 'read', at: 30 })
  t.deepEqual(desk.attempt('c'), { kind: 'probe', at: 30, isUnread: false })
  t.deepEqual(desk.attempt('d'), { kind: 'unread' })
})

test('who answers and has never told how far it has read counts as one that does not tell', (t) => {
  const other = new Desk()
  for (const entity of ['a', 'b', 'c']) other.send(entity)
  t.like(other.attempt('a'), { kind: 'probe', isUnread: true })
  other.answer('a')
  t.like(other.attempt('b'), { kind: 'probe', isUnread: false }, 'so its attempts count, and come to an end')
  const own = new Desk()
  const first = own.send('a')
  for (const entity of ['b', 'c']) own.send(entity)
  own.read(first + 1)
  own.answer('a')
  t.like(own.attempt('b'), { kind: 'probe', isUnread: true })
})

test('who answers a command of an earlier owner may have told that one how far it has read', (t) => {
  const desk = new Desk()
  desk.send('a')
  desk.unanswered.sendsFrom(desk.send('b') + 1)
  for (const entity of ['c', 'd']) desk.send(entity)
  desk.answer('a')
  t.like(desk.attempt('b'), { kind: 'probe', isUnread: true })
  desk.answer('b')
  desk.answer('c')
  t.like(desk.attempt('d'), { kind: 'probe', isUnread: false }, 'of its own it would have heard it')
})

test('what ends without an answer tells nothing of the others (U1)', (t) => {
  const desk = new Desk()
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  desk.now = 500
  desk.giveUp('b')
  t.deepEqual(desk.attempt('a'), { kind: 'probe', at: 0, isUnread: true })
  t.deepEqual(desk.attempt('c'), { kind: 'unread' })
})

test('an answer to the first attempt does not tell that the second was read, nor what came between (U1)', (t) => {
  const desk = new Desk()
  const first = desk.send('a')
  desk.read(first + 1)
  desk.pause('a')
  desk.send('b')
  desk.send('a')
  desk.now = 20
  desk.answer('a')
  t.like(desk.attempt('b'), { kind: 'probe' })
})

test('of what is unread one probes the inbox, by a clock that begins anew whenever something is read (U2)', (t) => {
  const desk = new Desk()
  const sequences = ['a', 'b', 'c', 'd'].map((entity) => desk.send(entity))
  t.deepEqual(desk.attempt('a'), { kind: 'probe', at: 0, isUnread: true })
  t.deepEqual(desk.attempt('b'), { kind: 'unread' })
  desk.now = 900
  desk.read(sequences[2]!)
  t.deepEqual(desk.attempt('c'), { kind: 'probe', at: 900, isUnread: true })
  t.deepEqual(desk.attempt('d'), { kind: 'unread' })
})

test('while the probe is out, no other command is sent again, at whatever attempt it is (U2)', (t) => {
  const desk = new Desk()
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  for (let attempt = 2; attempt < 6; attempt++) {
    desk.now += timeoutMs
    desk.pause('a')
    t.deepEqual(desk.attempt('b'), { kind: 'unread' })
    desk.send('a')
    t.deepEqual(desk.attempt('a', desk.now), { kind: 'probe', at: desk.now, isUnread: true })
    t.deepEqual(desk.attempt('b'), { kind: 'unread' })
  }
})

test('a probe that is answered tells that all before its first sending were read, and the next may probe then', (t) => {
  const desk = new Desk({ isTold: false })
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  desk.pause('a')
  desk.send('a')
  desk.now = 5_000
  desk.answer('a')
  t.deepEqual(desk.attempt('b'), { kind: 'probe', at: 5_000, isUnread: false })
})

test('a probe that is given up leaves it to the next one (U2)', (t) => {
  const desk = new Desk()
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  desk.pause('a')
  desk.unanswered.firedInVain('b')
  desk.giveUp('a')
  t.deepEqual(desk.woken, ['b'])
  t.like(desk.attempt('b'), { kind: 'probe' })
  t.deepEqual(desk.attempt('c'), { kind: 'unread' })
})

test('a probe whose answer tells nothing of what was read leaves it to the next one, too (U2)', (t) => {
  const desk = new Desk()
  const first = desk.send('a')
  desk.read(first + 1)
  desk.pause('a')
  desk.send('a')
  desk.send('b')
  desk.pause('a')
  desk.unanswered.firedInVain('b')
  desk.answer('a')
  t.deepEqual(desk.woken, ['b'])
  t.like(desk.attempt('b'), { kind: 'probe' })
})

test('of what pauses since before a take-over, too, an answer lets the next one probe (U2)', (t) => {
  const desk = new Desk()
  desk.restore('a', 4, true)
  desk.restore('b', 5)
  desk.restore('c', 6)
  t.deepEqual(desk.attempt('b'), { kind: 'unread' })
  desk.answer('a')
  t.like(desk.attempt('b'), { kind: 'probe' })
  t.deepEqual(desk.attempt('c'), { kind: 'unread' })
})

test('after a take-over an answer tells nothing of what was sent before it was known when (U1)', (t) => {
  const desk = new Desk()
  desk.restore('changed since', 9)
  desk.restore('sent between', 5)
  desk.answer('changed since')
  t.like(desk.attempt('sent between'), { kind: 'probe' })
})

test('after a take-over what was sent first is first, in whatever order it is found', (t) => {
  const desk = new Desk()
  for (const offset of [7, 3, 5]) desk.restore(`${offset}`, offset)
  t.like(desk.attempt('3'), { kind: 'probe' })
  desk.read(6)
  t.like(desk.attempt('5'), { kind: 'read' })
  t.like(desk.attempt('7'), { kind: 'probe' })
})

test('whoever waited in vain is woken when its clock runs: once it is read, or probes', (t) => {
  const desk = new Desk()
  const sequences = ['a', 'b', 'c', 'd'].map((entity) => desk.send(entity))
  for (const entity of ['a', 'b', 'c']) desk.unanswered.firedInVain(entity)
  desk.read(sequences[1]! + 1)
  t.deepEqual(desk.woken, ['a', 'b', 'c'])
  desk.read(sequences[3]! + 1)
  t.deepEqual(desk.woken, ['a', 'b', 'c'])
})

test('what is sent after its inbox was read further, as after a take-over, counts as read', (t) => {
  const desk = new Desk()
  desk.send('a')
  desk.read(10)
  desk.send('b')
  t.like(desk.attempt('b'), { kind: 'read' })
})

const under = (name: string) => [{ inbox: name, isUnderKey: true }]

test('what begins is put off while the window is full of unread commands, or too many are unanswered (U3)', (t) => {
  const desk = new Desk({ unreadMax: 3, unansweredMax: 5 })
  t.is(desk.unanswered.room(under(inbox), 'k'), Infinity)
  const sequences = ['a', 'b', 'c'].map((entity) => desk.send(entity))
  t.is(desk.unanswered.room(under(inbox), 'k'), 0)
  t.is(desk.unanswered.room(under('other-commands'), 'k'), Infinity)
  desk.read(sequences[1]! + 1)
  t.is(desk.unanswered.room(under(inbox), 'k'), 2)
  desk.read(desk.send('d') + 1)
  t.is(desk.unanswered.room(under(inbox), 'k'), 1)
  desk.read(desk.send('e') + 1)
  t.is(desk.unanswered.room(under(inbox), 'k'), 0)
  for (const entity of ['a', 'b', 'c', 'd', 'e']) desk.answer(entity)
  t.is(desk.unanswered.room(under(inbox), 'k'), 3)
})

test('what begins is put off while the process has no memory for more commands, and always some may (U3)', (t) => {
  const living = new Budget(0, 3 * 600)
  const desk = new Desk({ unreadMax: 100, living })
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  t.is(desk.unanswered.room(under(inbox), 'k'), 0)
  desk.pause('a')
  t.is(desk.unanswered.room(under(inbox), 'k'), 0)
  desk.answer('b')
  t.is(desk.unanswered.room(under(inbox), 'k'), 1)
  for (const entity of ['a', 'c']) desk.giveUp(entity)
  t.is(living.heldBytes, 0)
  desk.send('d')
  desk.unanswered.close()
  t.is(living.heldBytes, 0)
})

test('a window does not narrow where memory, and not the participant, holds back what begins', (t) => {
  const desk = new Desk({ unreadMax: 100, unreadMin: 1, living: new Budget(0, 2 * 600) })
  for (const entity of ['a', 'b']) desk.send(entity)
  t.is(desk.unanswered.room(under(inbox), 'k'), 0)
  desk.now = 1_000
  desk.read(2)
  t.is(desk.unanswered.loads.get(place)!.window.limit, 100)
})

test('what pauses counts as long as it may be sent again, what has ended does not', (t) => {
  const desk = new Desk()
  for (const entity of ['a', 'b', 'c']) desk.send(entity)
  desk.pause('b')
  desk.giveUp('c')
  const load = desk.unanswered.loads.get(place)!
  t.is(load.count, 2)
  t.is(load.unreadCount, 2)
  desk.send('b')
  t.is(load.unreadCount, 2)
  desk.pause('b')
  desk.answer('b')
  t.is(load.count, 1)
  t.is(load.unreadCount, 0, 'it was sent after the other')
  desk.giveUp('a')
  t.is(load.count, 0)
})

test('a participant that answers nothing is sent at most its budget again, and all get their turn', (t) => {
  const desk = new Desk({ unreadMax: 1_000, unansweredMax: 1_000 })
  const entities = Array.from({ length: 300 }, (_, i) => `e${i}`)
  let last = 0
  for (const entity of entities) last = desk.send(entity)
  desk.read(last + 1)
  desk.now = timeoutMs
  for (const entity of entities) desk.pause(entity, 0)
  let sent = 0
  const turns: number[] = []
  for (const entity of entities) {
    const attempt = desk.paused(entity) as { kind: string; until: number } | undefined
    if (attempt === undefined) {
      desk.send(entity)
      sent++
    } else turns.push(attempt.until)
  }
  t.is(sent, 100)
  t.is(new Set(turns).size, 200)
  t.deepEqual(
    turns,
    turns.toSorted((a, b) => a - b)
  )
  desk.now = turns[0]!
  t.is(desk.paused(entities[100]!), undefined)
  t.not(desk.paused(entities[102]!), undefined)
})

test('a budget of retries grows with what is sent for the first time, and with time', (t) => {
  const budget = new RetryBudget(0)
  let ids = 0
  const spend = (now: number): number => {
    for (let count = 0; ; count++) {
      if (budget.heldUntil(`${now}: ${ids++}`, now) !== undefined) return count
      budget.sentAgain('')
    }
  }
  t.is(spend(0), 100)
  for (let i = 0; i < 505; i++) budget.sentFirst()
  t.is(spend(0), 50)
  t.is(spend(10_000), 100)
  t.is(spend(9_000), 0, 'a clock that goes back takes nothing away')
})

test('a window follows the pace at which its participant reads, and stays as it is while nothing is read', (t) => {
  const window = new Window({ initial: 100, min: 10, max: 1_000 }, 0)
  window.full()
  window.read(200, 400)
  t.is(window.limit, 500)
  window.full()
  window.read(10_000, 800)
  t.is(window.limit, 1_000)
  window.full()
  window.read(2, 90_000)
  t.is(window.limit, 750)
  window.read(2, 180_000)
  t.is(window.limit, 750, 'nobody knows what it could have read, had there been more')
})
