import test from 'ava'
import { contractSet, readContract } from '../../../src/contract/index.ts'
import {
  cancelTextIn,
  decide,
  type Definition,
  evolve,
  type Instance,
  keyMoved,
  keysOfSaga,
  keysText,
  loadSaga,
  standsUnderKey
} from '../../../src/saga/index.ts'
import { define, pivot, step } from '../engine/build.ts'

const contractsOf = (idl: string) =>
  contractSet([
    readContract({
      path: 'bank.yaml',
      text: `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: bank }
spec:
  inbox: bank-commands
  events: bank-events
  contract: |
    @namespace("test.bank")
    protocol Bank {
      ${idl}
      record Loose { string id; }
      void loose(Loose event) oneway;
      record Note { string text; }
      record Noted { string text; }
      Noted note(Note command);
    }
`
    })
  ])

const keyed = `record Due { @key string feeId; string account; }
      void due(Due event) oneway;
      record Waived { @key string feeId; string account; }
      void waived(Waived event) oneway;
      record Charge { @key string account = ""; string feeId = ""; }
      record Charged { @key string account; }
      Charged charge(Charge command);`
const contracts = contractsOf(keyed)

type Parts = { readonly start?: string; readonly cancel?: string; readonly steps?: string; readonly undo?: string }

const note = '{ name: n, command: Note, with: { text: "\'x\'" }, compensate: none }'

const yamlOf = ({ start = '{ on: Due, key: event.feeId }', cancel, steps = note, undo }: Parts): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: fee }
spec:
  start: ${undo === undefined ? start : start.replace(' }', `, compensate: ${undo} }`)}
  ${cancel === undefined ? '' : `cancel: ${cancel}`}
  steps: [${steps}]
`

const load = (parts: Parts, by = contracts, isPublished = false): Definition =>
  loadSaga({ path: 'fee.yaml', text: yamlOf(parts) }, by, { isPublished })

const charge = (account: string, undo = 'none'): string =>
  `{ name: c, command: Charge, with: { account: ${account} }, compensate: ${undo} }`
const undoOf = (account: string): string => `{ command: Charge, with: { account: ${account} } }`

const why = (parts: Parts): string | undefined => {
  const keys = keysOfSaga(load(parts))
  return keys.isOne ? undefined : keys.why
}

test('a saga has one key where start, cancel and all commands stand under it', (t) => {
  const cancel = '{ on: Waived, key: event.feeId }'
  t.is(why({}), undefined)
  t.is(why({ cancel }), undefined)
  t.is(why({ cancel, steps: charge('start.feeId', undoOf('saga.key')), undo: undoOf('start.feeId') }), undefined)
  t.regex(keysText(load({})), /^one key: .*its own partition only$/)
})

test('else it is told what stands under another key', (t) => {
  t.is(
    why({ start: '{ on: Due, key: event.account }' }),
    "its start event 'Due' stands under 'feeId', and its key there is 'event.account'"
  )
  t.is(
    why({ start: '{ on: Loose, key: event.id }' }),
    "the contract does not say what the key of its start event 'Loose' is"
  )
  t.regex(why({ cancel: '{ on: Waived, key: event.account }' })!, /^its cancel event 'Waived' stands under 'feeId'/)
  t.is(
    why({ undo: undoOf('start.account') }),
    "'Charge' of the start goes under 'account', which is 'start.account', and the start event stands under 'feeId'"
  )
  t.regex(why({ steps: charge('start.account') })!, /^'Charge' of step 'c' goes under 'account'/)
  t.regex(why({ steps: charge('start.feeId', undoOf('"\'house\'"')) })!, /^'Charge' of step 'c' .*, which is ''house''/)
  t.regex(keysText(load({ steps: charge('start.account') })), /^several keys: .*, since 'Charge' of step 'c'/)
})

test('two sagas that are cancelled alike are told by their texts', (t) => {
  const cancel = '{ on: Waived, key: event.feeId }'
  const [one, other] = [yamlOf({ cancel }), yamlOf({ cancel, steps: charge('start.account') })]
  t.is(cancelTextIn(one), cancelTextIn(other))
  t.not(cancelTextIn(one), cancelTextIn(yamlOf({ cancel: '{ on: Waived, key: event.account }' })))
  t.is(cancelTextIn(yamlOf({})), 'undefined')
  t.true(standsUnderKey(load({ cancel }).cancel!))
  t.false(standsUnderKey(load({ cancel: '{ on: Waived, key: event.account }' }).cancel!))
})

test("a command's key cannot be left to its default; of what was published before that is only told", (t) => {
  const steps = '{ name: c, command: Charge, with: { feeId: start.feeId }, compensate: none }'
  const message =
    /:8:45 steps\[0\]\.with: Charge needs 'account', its key, which says whom it is for; add it to 'with'$/
  t.throws(() => load({ steps }), { code: 'PARCOMOLO_SAGA_INVALID', message })
  t.throws(() => load({ steps: '{ name: c, command: Charge, compensate: none }' }), { code: 'PARCOMOLO_SAGA_INVALID' })
  const broken = '{ name: c, command: Charge, with: 5, compensate: none }'
  t.throws(() => load({ steps: broken }), { code: 'PARCOMOLO_SAGA_INVALID' })
  const published = load({ steps }, contracts, true)
  t.like(published, { warnings: [{ code: 'PARCOMOLO_SAGA_MISSING_FIELD' }] })
  t.regex(keysText(published), /since 'Charge' of step 'c' goes under 'account', and the start event/)
  const keyless = contractsOf(keyed.replace('@key string account = ""', 'string account = ""'))
  t.is(
    keyMoved(load({ steps }, keyless), published),
    "'Charge' would go under 'account', and under 'saga.key' it was sent"
  )
  const needed = contractsOf(keyed.replace('string account = "";', 'string account;'))
  t.throws(() => load({ steps }, needed), { message: /steps\[0\]\.with: Charge needs 'account' \(string\); add it/ })
})

test('it is told whether a contract moves a command to another key', (t) => {
  const parts = { steps: charge('start.account', undoOf('start.feeId')), undo: undoOf('saga.key') }
  const moved = (idl: string, of: Parts = parts): string | undefined => keyMoved(load(of), load(of, contractsOf(idl)))
  t.is(moved(keyed), undefined)
  const keyless = keyed.replace('@key string account = ""', 'string account = ""')
  t.is(moved(keyless), "'Charge' would go under 'saga.key', and under 'start.account' it was sent")
  t.is(moved(keyless, { steps: charge('start.feeId') }), undefined)
  const other = keyed.replace('@key string account = ""; string', 'string account = ""; @key string')
  const both = '{ name: c, command: Charge, with: { account: start.account, feeId: start.feeId }, compensate: none }'
  t.is(moved(other, { steps: both }), "'Charge' would go under 'saga.key', and under 'start.account' it was sent")
  const computed = { start: '{ on: Due, key: "event.feeId + \'\'" }', steps: charge('start.feeId') }
  t.is(moved(keyless, computed), "'Charge' would go under 'saga.key', and under 'start.feeId' it was sent")
})

type Value = Readonly<Record<string, unknown>>

/** Starts a saga, whose first step names its entity so, and gives what follows. */
const following = (definition: Definition, start: Value) => {
  const message = { type: 'TripBooked', value: start, bytes: new Uint8Array() }
  const events = [...decide(definition, undefined, { kind: 'start', key: 'k1', message }, { now: 0 })]
  let instance = events.reduce<Instance | undefined>((it, event) => evolve(it, event, 0), undefined)!
  const time = (now: number): void => {
    const more = decide(definition, instance, { kind: 'timer' }, { now })
    events.push(...more)
    instance = more.reduce((it: Instance | undefined, event) => evolve(it, event, now), instance)!
  }
  return { events, time, timers: () => instance.timers }
}

const key = { field: 'id', source: 'start.who' }
const named = (field: string) => ({ key, with: ({ start }: { start?: Value }) => ({ id: start![field] }) })

test('a command is issued under the key that it names, at every attempt, and one without under none', (t) => {
  const run = following(define([step('a', { ...named('who'), timeoutMs: 10 })]), { who: 'ada' })
  t.like(run.events[1], { type: 'CommandIssued', value: { recordKey: 'ada' } })
  t.like(run.timers()[0], { key: 'ada' })
  run.time(20)
  t.like(run.events[2], { type: 'RetryScheduled' })
  t.like(run.timers()[0], { key: 'ada', dueAt: 120 })
  run.time(1000)
  t.like(run.events[3], { type: 'CommandIssued', value: { recordKey: 'ada', attempt: 2 } })
  const other = following(define([step('a')]), {})
  t.like(other.events[1], { type: 'CommandIssued', value: { recordKey: null } })
  t.false('key' in other.timers()[0]!)
})

for (const [what, who, message] of [
  ['is empty', '', "the key 'id' of DoA is empty; "],
  ['is not there', undefined, "the key 'id' of DoA is empty; "],
  ['is too long', 'x'.repeat(1025), "the key 'id' of DoA has 1025 characters; "]
] as const)
  test(`where the key of a command ${what}, its step fails and nothing is sent`, (t) => {
    const { events } = following(define([step('a', named('who'))]), { who })
    t.deepEqual(
      events.map(({ type }) => type),
      ['SagaStarted', 'CompensationStarted', 'SagaCompensated']
    )
    const { value } = events[1] as { value: { failure: { type: string; step: string; message: string } } }
    t.like(value.failure, { type: 'ExpressionFailed', step: 'a' })
    t.true(value.failure.message.startsWith(message), value.failure.message)
  })

test('where the key of an undo is empty, it is parked, and so is a step behind the pivot', (t) => {
  const undo = { key, arguments: { evaluate: () => ({ id: '' }) } }
  const back = following(define([step('a', { undo, onUnknown: 'compensate', timeoutMs: 10, retry: once })]), {})
  back.time(20)
  t.like(back.events.at(-1), { type: 'SagaParked', value: { step: 'a', undo: true } })
  const ahead = following(define([pivot('p', { key, with: () => ({ id: '' }) })]), {})
  t.like(ahead.events[1], { type: 'CompensationStarted' })
})

const once = { attempts: 1, backoffMs: 1, factor: 1, capMs: 1, jitter: 0 }
