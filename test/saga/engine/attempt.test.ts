import test from 'ava'

import { define, parallel, pivot, retry, step } from './build.ts'
import { scenario } from './scenario.ts'

/** What the participants have read, and what follows from a silence. */
const once = { ...retry, attempts: 1 }

test('a command that waits in its inbox is not sent again, however long, nor given up (S9)', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'compensate', retry: once })]))
  saga.start()
  saga.attempts.set('a', { kind: 'unread' })
  t.is(saga.dueAt(), undefined)
  t.deepEqual(saga.wait(86_400_000), [])
  t.is(saga.status(), 'running')
  t.deepEqual(saga.answer('a'), ['succeeded a', 'completed'])
})

test('the timeout of an attempt counts from when its command was read (S9)', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.attempts.set('a', { kind: 'unread' })
  saga.wait(50_000)
  saga.attempts.set('a', { kind: 'read', at: 50_000 })
  t.is(saga.dueAt(), 51_000)
  t.deepEqual(saga.wait(999), [])
  t.deepEqual(saga.wait(1), ['later do a #2'])
})

test('each attempt has a clock of its own (S9)', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.attempts.set('a', ({ sentAt }) => (sentAt === 0 ? { kind: 'read', at: 200 } : { kind: 'unread' }))
  t.deepEqual(saga.wait(1300), ['later do a #2', 'do a #2'])
  t.deepEqual(saga.wait(60_000), [])
  saga.attempts.set('a', { kind: 'read', at: saga.now })
  t.deepEqual(saga.wait(999), [])
  t.deepEqual(saga.wait(1), ['later do a #3'])
})

test('a probe of an inbox of which nothing is known is sent by the usual clock, and may be given up', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'compensate', retry: { ...retry, attempts: 2 } })]))
  saga.start()
  saga.attempts.set('a', ({ sentAt }) => ({ kind: 'probe', at: sentAt! + 500, isUnread: false }))
  t.deepEqual(saga.wait(1500), ['later do a #2'])
  t.deepEqual(saga.wait(100), ['do a #2'])
  t.deepEqual(saga.wait(1499), [])
  t.deepEqual(saga.wait(1), ['unknown a', 'back: Unknown', 'undo a'])
})

test('a probe of an inbox that is known to be unread is sent without end, since its silence says nothing', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'compensate', retry: once })]))
  saga.start()
  saga.attempts.set('a', ({ sentAt }) => ({ kind: 'probe', at: sentAt!, isUnread: true }))
  for (let attempt = 2; attempt < 9; attempt++) {
    t.deepEqual(saga.wait(1000), [`later do a #${attempt}`])
    t.deepEqual(saga.wait(100), [`do a #${attempt}`])
  }
})

test('an undo that waits in its inbox is not parked', (t) => {
  const saga = scenario(define([step('a'), step('b')], { undoStart: {} }))
  saga.start()
  saga.answer('a')
  saga.refuse('b')
  saga.attempts.set('a', { kind: 'unread' })
  t.deepEqual(saga.wait(86_400_000), [])
  t.is(saga.status(), 'compensating')
  saga.attempts.set('a', ({ sentAt }) => ({ kind: 'probe', at: Math.max(sentAt!, 86_400_000), isUnread: true }))
  for (const attempt of [2, 3, 4, 5, 6]) {
    t.deepEqual(saga.wait(1000), [`later undo a #${attempt}`])
    t.deepEqual(saga.wait(saga.dueAt()! - saga.now), [`undo a #${attempt}`])
  }
  t.deepEqual(saga.undone('a'), ['undone a', 'undo start'])
})

test('while the retries of a participant are used up, the next attempt is put off', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.wait(1000)
  saga.attempts.set('a', { kind: 'held', until: 7000 })
  t.is(saga.dueAt(), 7000)
  t.deepEqual(saga.wait(5999), [])
  t.deepEqual(saga.wait(1), ['do a #2'])
})

test('a pause that is longer than the participant is spared is kept', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.wait(1000)
  saga.attempts.set('a', { kind: 'held', until: 1050 })
  t.is(saga.dueAt(), 1100)
})

test('the time of a command counts from when it was first sent, waiting included, and leads to onUnknown', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'compensate', withinMs: 5000 })]))
  saga.start()
  saga.attempts.set('a', { kind: 'unread' })
  t.is(saga.dueAt(), 5000)
  t.deepEqual(saga.wait(5000), ['unknown a', 'back: Unknown', 'undo a'])
})

test('the time of a command is for all of its attempts, and is over in a pause too', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'park', withinMs: 2150, retry: { ...retry, attempts: 9 } })]))
  saga.start()
  t.deepEqual(saga.wait(2149), ['later do a #2', 'do a #2', 'later do a #3'])
  t.deepEqual(saga.wait(1), ['unknown a', 'parked do a'])
})

test('where an unknown outcome is asked for again, the command has its time anew', (t) => {
  const saga = scenario(define([step('a', { withinMs: 5000 })]))
  saga.start()
  saga.attempts.set('a', { kind: 'unread' })
  t.deepEqual(saga.wait(5000), ['unknown a', 'later do a #2'])
  t.deepEqual(saga.wait(100), ['do a #2'])
  t.is(saga.dueAt(), 10_100)
})

test('an undo whose time is over is parked, at its first attempt and in a pause', (t) => {
  const parkedAfter = (ms: number, undo: object): string[] => {
    const saga = scenario(define([step('a', { undo }), step('b')]))
    saga.start()
    saga.answer('a')
    saga.refuse('b')
    return saga.wait(ms)
  }
  t.deepEqual(parkedAfter(500, { withinMs: 500 }), ['parked undo a'])
  t.deepEqual(parkedAfter(1050, { withinMs: 1050 }), ['later undo a #2', 'parked undo a'])
})

test('the deadline counts in real time, whoever has read what, and says alone what follows', (t) => {
  const saga = scenario(define([parallel([step('a')], [step('b', { withinMs: 4000 })])], { deadlineMs: 4000 }))
  saga.start()
  for (const name of ['a', 'b']) saga.attempts.set(name, { kind: 'unread' })
  t.is(saga.dueAt(), 4000)
  t.deepEqual(saga.wait(4000), ['back: DeadlineExceeded', 'undo a', 'undo b'])
})

test('a cancel is heard while commands wait in their inboxes', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.attempts.set('a', { kind: 'unread' })
  t.deepEqual(saga.cancel(), ['cancel', 'back: TripCancelled', 'undo a'])
})

test('a command says how long it is of use: its own time, or what is left of the saga before the pivot', (t) => {
  const ends = (options: object, pick = 0): unknown => {
    const saga = scenario(define([step('a', options), pivot('pay'), step('z', { undo: false })], { deadlineMs: 9000 }))
    saga.start()
    saga.wait(300)
    for (const name of ['a', 'pay'].slice(0, pick)) saga.answer(name)
    return saga.journal.flatMap(({ event }) => (event.type === 'CommandIssued' ? [event.value.expiresAt] : [])).at(-1)
  }
  t.is(ends({}), 9000)
  t.is(ends({ withinMs: 4000 }), 4000)
  t.is(ends({}, 1), null)
  t.is(ends({}, 2), null)
})

test('one that was cancelled before it started sends nothing, and undoes its start', (t) => {
  const saga = scenario(define([step('a')], { undoStart: {} }))
  const message = { type: 'TripBooked', value: {}, bytes: new Uint8Array() }
  const began = saga.give({ kind: 'start', key: 'k1', message, cancelledBy: 'TripCancelled' })
  t.deepEqual(began, ['started', 'cancel', 'back: TripCancelled', 'undo start'])
})
