import { serialize } from 'node:v8'
import test from 'ava'
import { decodeTracked, encodeTracked, type Tracked } from '../../src/orchestrator/tracked.ts'
import { encodeInstance, type Payload } from '../../src/saga/index.ts'

const payload = (type: string, bytes: Uint8Array): Payload => ({ type, bytes: new Uint8Array(bytes), value: {} })

const tracked: Tracked = {
  recordKey: 'ü-1',
  instance: {
    saga: 'trip',
    key: 'trip-1',
    revision: '0123456789ab',
    start: payload('TripBooked', new Uint8Array([1, 2, 3])),
    startedAt: 1_700_000_000_000,
    deadlineAt: null,
    phase: 'backward',
    slots: [17, 0, 4],
    timers: [{ index: 2, dueAt: 1_700_000_005_000 }],
    replies: [null, payload('HotelBooked', new Uint8Array(300).fill(9)), payload('Paid', new Uint8Array())],
    failure: { type: 'Unknown', step: 'pay', message: 'nobody “answered”' },
    cancel: 'TripCancelled',
    cancelRefused: true
  }
}
const { instance, recordKey } = tracked

test('an instance comes back from its bytes as it was', (t) => {
  t.deepEqual(decodeTracked(encodeTracked(tracked), payload), tracked)
  const fresh = { ...instance, phase: 'forward' as const, replies: [], timers: [], failure: null, cancel: null }
  const usual = { recordKey: instance.key, instance: fresh }
  t.deepEqual(decodeTracked(encodeTracked(usual), payload), usual)
})

test('one that stands still comes back so', (t) => {
  const still = { ...tracked, instance: { ...instance, standsStill: true } }
  t.deepEqual(decodeTracked(encodeTracked(still), payload), still)
})

test('its bytes may stand anywhere in others', (t) => {
  const bytes = encodeTracked(tracked)
  const all = new Uint8Array(bytes.length + 20)
  all.set(bytes, 7)
  t.deepEqual(decodeTracked(all.subarray(7, 7 + bytes.length), payload), tracked)
})

test('what an earlier release has written is read as it was meant', (t) => {
  const bytes = serialize({ recordKey, instance: encodeInstance(instance) })
  t.deepEqual(decodeTracked(bytes, payload), tracked)
})

test('an instance that has just begun takes little beside its payloads', (t) => {
  const fresh = { ...instance, phase: 'forward' as const, replies: [], failure: null, cancel: null }
  const bytes = encodeTracked({ recordKey, instance: fresh })
  t.true(bytes.length - fresh.start.bytes.length < 200, String(bytes.length))
})
