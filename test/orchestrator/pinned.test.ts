import test, { type ExecutionContext } from 'ava'
import { adoptContract, contractSet, registerContracts } from '../../src/contract/index.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { type System, type SystemDeps } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { participant, saga, Stage } from './stage.ts'

/** A process that learns its participants of the topic, and what its operator would do. */
const processOn = async (stage: Stage, overrides: Partial<SystemDeps> = {}) => {
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const adopt: SystemDeps['adopt'] = (contract) => adoptContract(stage.registry, codec, contract)
  const system = await stage.run({ codec, contracts: contractSet([]), adopt, ...overrides })
  const { definitions } = system
  const publisher = await openPublisher(stage.log, codec, stage.clock, definitions)
  const participants = participantsOf({ application: theShop, registry: stage.registry, codec, definitions, publisher })
  const publish = async (revision: string, yaml: string): Promise<void> => {
    await publisher.publish({ saga: 'loyalty', revision, source: 'loyalty.yaml', yaml, retired: false })
    await definitions.caughtUp()
  }
  return { system, definitions, participants, publisher, publish }
}

const loyaltyOf = (yaml: string) => ({ name: 'loyalty', source: 'participants/loyalty.yaml', yaml })

const withoutVoucher = participant
  .replace('record IssueVoucher { string orderId; long balance; }', '')
  .replace('record VoucherIssued { string orderId; }', '')
  .replace('VoucherIssued issueVoucher(IssueVoucher command);', '')

/** The saga without its second step. */
const short = saga.slice(0, saga.indexOf('    - name: voucher'))

const begin = async (stage: Stage, orderId: string) => {
  await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 500 }), { orderId })
  return stage.command('AwardPoints', orderId)
}

const opened = async (t: ExecutionContext) => {
  const stage = await Stage.open(t)
  const process = await processOn(stage)
  await process.participants.accept(loyaltyOf(participant))
  return { stage, ...process }
}

test('a contract is refused that lacks what a saga in force needs, by saga and place', async (t) => {
  const { stage, system, definitions, participants, publish } = await opened(t)
  await publish('r1', saga)
  const error = await t.throwsAsync(participants.accept(loyaltyOf(withoutVoucher)), {
    code: 'PARCOMOLO_CONTRACT_IN_USE'
  })
  t.regex(error.message, /^saga 'loyalty' needs what this contract changes: revision 'r1', which is in force, would/)
  t.regex(error.message, /loyalty\.yaml:13:16 .*unknown command 'IssueVoucher'/)
  t.deepEqual(definitions.contracts.commandNames, ['AwardPoints', 'IssueVoucher'])
  t.is(definitions.current('loyalty')?.revision, 'r1')
  t.deepEqual(stage.errors, [])
  await system.stop()
})

test('a participant is refused whose names make a saga in force ambiguous', async (t) => {
  const { system, participants, publish } = await opened(t)
  await publish('r1', saga)
  const yaml = participant.replaceAll('test.loyalty', 'test.rival').replace('name: loyalty', 'name: rival')
  const rival = { name: 'rival', source: 'rival.yaml', yaml: yaml.replace(/loyalty-/g, 'rival-') }
  await t.throwsAsync(participants.accept(rival), { code: 'PARCOMOLO_CONTRACT_IN_USE', message: /is ambiguous/ })
  await system.stop()
})

test('what an older revision needs stays while an instance runs on it, and none is current again', async (t) => {
  const { stage, system, participants, publish } = await opened(t)
  await publish('r1', saga)
  const award = await begin(stage, 'o-1')
  await publish('r2', short)
  await t.throwsAsync(participants.accept(loyaltyOf(withoutVoucher)), {
    code: 'PARCOMOLO_CONTRACT_IN_USE',
    message: /revision 'r1', on which instances still run, .* the contract is taken when they have ended/
  })
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance: 5 }), { orderId: 'o-1', answers: award })
  const voucher = await stage.command('IssueVoucher', 'o-1')
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o-1' }), { orderId: 'o-1', answers: voucher })
  await stage.event('SagaCompleted', 'o-1')
  await participants.accept(loyaltyOf(withoutVoucher))
  await system.stop()
  const next = await processOn(stage)
  t.is(next.definitions.current('loyalty')?.revision, 'r2')
  t.deepEqual(stage.errors, [])
  await next.system.stop()
})

test('a saga that has lost its participant already is in the way of no other', async (t) => {
  const { system, definitions, participants, publisher, publish } = await opened(t)
  await publish('r1', saga)
  await publisher.publishParticipant({ participant: 'loyalty', source: '', yaml: '', withdrawn: true })
  await definitions.caughtUp()
  const yaml = participant.replaceAll('test.loyalty', 'test.rival').replace('name: loyalty', 'name: rival')
  await participants.accept({ name: 'rival', source: 'rival.yaml', yaml: yaml.replace(/(loyalty)-(c|e)/g, 'rival-$2') })
  t.true('found' in definitions.contracts.participant('rival'))
  await system.stop()
})

test('instances that only other processes know of count where these can be asked', async (t) => {
  const { stage, system, definitions, publisher, publish } = await opened(t)
  await publish('r1', saga)
  await publish('r2', short)
  const codec = await registerContracts(stage.registry, [], ownRecords)
  let count = 1
  const running = { count: async () => [{ saga: 'loyalty', revision: 'r1', count }] }
  const participants = participantsOf({
    application: theShop,
    registry: stage.registry,
    codec,
    definitions,
    publisher,
    running
  })
  await t.throwsAsync(participants.accept(loyaltyOf(withoutVoucher)), { code: 'PARCOMOLO_CONTRACT_IN_USE' })
  count = 0
  await participants.accept(loyaltyOf(withoutVoucher))
  t.deepEqual(definitions.contracts.commandNames, ['AwardPoints'])
  await system.stop()
})

/** Publishes it unjudged, as a process does that does not know what runs. */
const force = async (process: Awaited<ReturnType<typeof processOn>>, yaml: string): Promise<void> => {
  await process.publisher.publishParticipant({ participant: 'loyalty', source: 'loyalty.yaml', yaml, withdrawn: false })
  await process.definitions.caughtUp()
}

test('an instance whose revision cannot be loaded is parked with the reason, and goes on when it can be', async (t) => {
  const first = await opened(t)
  const { stage } = first
  await first.publish('r1', saga)
  await begin(stage, 'o-1')
  await first.publish('r2', short)
  await force(first, withoutVoucher)
  await first.system.stop()
  t.like(stage.errors, [{ code: 'PARCOMOLO_SAGA_INVALID' }], 'what runs here goes on with what it has')
  const second = await processOn(stage)
  await stage.until(() => second.definitions.isRunning({ name: 'loyalty', revision: 'r1' }))
  const parked = await stage.event('SagaParked', 'o-1')
  t.like(parked.value, { step: '', index: -1 })
  t.regex(
    String(parked.value['reason']),
    /^revision 'r1' of saga 'loyalty' does not fit the contracts any more: loyalty/
  )
  const other = await begin(stage, 'o-2')
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-2', balance: 5 }), { orderId: 'o-2', answers: other })
  await stage.event('SagaCompleted', 'o-2')
  await second.system.stop()
  const third = await processOn(stage)
  await stage.until(() => third.definitions.isRunning({ name: 'loyalty', revision: 'r1' }))
  await force(third, participant)
  await stage.event('SagaResumed', 'o-1')
  await completes(stage, third.system)
  const parks = (await stage.said('saga-events')).filter(({ type }) => type === 'SagaParked')
  t.is(parks.length, 1)
})

/** What was sent before is asked for again, under the same id. */
const completes = async (stage: Stage, system: System): Promise<void> => {
  const award = await stage.command('AwardPoints', 'o-1')
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance: 5 }), { orderId: 'o-1', answers: award })
  const voucher = await stage.command('IssueVoucher', 'o-1')
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o-1' }), { orderId: 'o-1', answers: voucher })
  await stage.event('SagaCompleted', 'o-1')
  await system.stop()
}

/** The second step comes after the pivot, where no rejection is allowed. */
const behind = saga.replace('      compensate: none\n', '      pivot: true\n').replace(/ {6}pivot: true\n$/, '')

test('a revision runs on with the contract it was published with, where that of now says otherwise', async (t) => {
  const first = await opened(t)
  const { stage } = first
  await first.publish('r1', behind)
  const award = await begin(stage, 'o-1')
  await first.publish('r2', short)
  await first.publisher.publish({ saga: 'loyalty', revision: 'r1', source: 'l.yaml', yaml: behind, retired: true })
  await first.publish('r2', short)
  const stricter = participant
    .replace('record VoucherIssued', 'error TooMany { string orderId; } record VoucherIssued')
    .replace('issueVoucher(IssueVoucher command)', 'issueVoucher(IssueVoucher command) throws TooMany')
  await force(first, stricter)
  await first.system.stop()
  stage.errors.length = 0
  const second = await processOn(stage)
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance: 5 }), { orderId: 'o-1', answers: award })
  const voucher = await stage.command('IssueVoucher', 'o-1')
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o-1' }), { orderId: 'o-1', answers: voucher })
  await stage.event('SagaCompleted', 'o-1')
  t.false((await stage.said('saga-events')).some(({ type }) => type === 'SagaParked'))
  t.deepEqual(stage.errors, [])
  await begin(stage, 'o-2')
  const wordier = stricter.replace('long points; }', 'long points; string reason = "order"; }')
  await second.participants.accept(loyaltyOf(wordier))
  await second.system.stop()
})

const withoutBalance = participant.replace('record PointsAwarded { string orderId; long balance; }', (record) =>
  record.replace(' long balance;', '')
)

test('a revision still finds the fields that the contract of now lacks, in what was written with them', async (t) => {
  const first = await opened(t)
  const { stage } = first
  await first.publish('r1', saga)
  const award = await begin(stage, 'o-1')
  await first.publish('r2', short)
  await force(first, withoutBalance)
  const balance = 5
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance }), { orderId: 'o-1', answers: award })
  const voucher = await stage.command('IssueVoucher', 'o-1')
  t.like(voucher.value, { balance })
  await first.system.stop()
})

test('a cancel key still finds the fields that the contract of now lacks', async (t) => {
  const first = await opened(t)
  const { stage } = first
  const key = `"event.balance > 0 ? event.orderId : ''"`
  await first.publish('r1', saga.replace('  steps:', `  cancel: { on: PointsAwarded, key: ${key} }\n  steps:`))
  await begin(stage, 'o-1')
  await first.publish('r2', short)
  await force(first, withoutBalance)
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance: 5 }), { orderId: 'o-1' })
  t.like((await stage.event('CancelRequested', 'o-1')).value, { event: 'PointsAwarded' })
  await first.system.stop()
})

test('an instance whose revision is not there at all is parked, and goes on when it is published', async (t) => {
  const { stage, system, publish } = await opened(t)
  await publish('r1', saga)
  await begin(stage, 'o-1')
  await system.stop()
  const writer = await stage.log.claim({ topic: 'saga-definitions', partition: 0 })
  await writer.append([{ key: 'loyalty@r1', value: null, timestamp: 0, headers: {} }])
  const next = await processOn(stage)
  t.is(next.definitions.current('loyalty'), undefined)
  const parked = await stage.event('SagaParked', 'o-1')
  t.regex(String(parked.value['reason']), /is not among the definitions; publish that revision again/)
  await next.publish('r1', saga)
  await stage.event('SagaResumed', 'o-1')
  await completes(stage, next.system)
})

test('the newest revision is current although it cannot be loaded yet: nothing begins on an older one', async (t) => {
  const { stage, system, definitions, participants, publish } = await opened(t)
  await publish('r1', short)
  await participants.accept(loyaltyOf(withoutVoucher))
  await publish('r2', saga)
  t.like(stage.errors, [{ code: 'PARCOMOLO_SAGA_INVALID' }])
  t.is(definitions.current('loyalty'), undefined)
  t.deepEqual(definitions.startable(), [])
  t.is(definitions.newest('loyalty')?.revision, 'r2')
  await participants.accept(loyaltyOf(participant))
  t.is(definitions.current('loyalty')?.revision, 'r2')
  await system.stop()
})

test('only what is current is compiled at a start, however many revisions there are', async (t) => {
  const { stage, system, publish } = await opened(t)
  for (let i = 0; i < 5; i++) await publish(`r${i}`, i < 4 ? 'kind: [broken' : saga)
  t.is(stage.errors.length, 4)
  await system.stop()
  const next = await processOn(stage)
  t.is(next.definitions.current('loyalty')?.revision, 'r4')
  t.is(next.definitions.all().length, 5)
  t.is(stage.errors.length, 4)
  await next.system.stop()
})

test('a contract may not move the commands of what runs to another key', async (t) => {
  const first = await opened(t)
  const { stage } = first
  await first.publish('r1', saga)
  const award = await begin(stage, 'o-1')
  const keyed = participant.replace('AwardPoints { string orderId', 'AwardPoints { @key string orderId')
  // Under the order's id they went before.
  await first.participants.accept(loyaltyOf(keyed))
  const moved = keyed.replace(
    'AwardPoints { @key string orderId; long points',
    'AwardPoints { string orderId; long points; @key string to = ""'
  )
  const needed = /would send otherwise: 'AwardPoints' would go under 'to', and under 'saga\.key' it was sent/
  await t.throwsAsync(first.participants.accept(loyaltyOf(moved)), {
    code: 'PARCOMOLO_CONTRACT_IN_USE',
    message: needed
  })
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o-1', balance: 5 }), { orderId: 'o-1', answers: award })
  await stage.command('IssueVoucher', 'o-1')
  await first.system.stop()
})
