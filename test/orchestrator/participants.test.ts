import test from 'ava'
import { adoptContract, contractSet, registerContracts } from '../../src/contract/index.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { type System } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { participant, saga, Stage } from './stage.ts'

/** A process of a release that knows no participant, and what its operator would do. */
const bare = async (stage: Stage) => {
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const system = await stage.run({
    ...{ codec, contracts: contractSet([]) },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const publisher = await openPublisher(stage.log, codec, stage.clock)
  const { definitions } = system
  const participants = participantsOf({ application: theShop, registry: stage.registry, codec, definitions, publisher })
  const publishSaga = (): Promise<void> =>
    publisher.publish({ saga: 'loyalty', revision: 'r', source: 'loyalty.yaml', yaml: saga, retired: false })
  return { system, codec, publisher, participants, publishSaga }
}

const loyalty = { name: 'loyalty', source: 'participant/loyalty', yaml: participant }

const finishes = async (stage: Stage, system: System, orderId: string): Promise<void> => {
  await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 500 }), { orderId })
  const award = await stage.command('AwardPoints', orderId)
  await stage.say(0, stage.encode('PointsAwarded', { orderId, balance: 5 }), { orderId, answers: award })
  const voucher = await stage.command('IssueVoucher', orderId)
  await stage.say(0, stage.encode('VoucherIssued', { orderId }), { orderId, answers: voucher })
  await stage.event('SagaCompleted', orderId)
  await system.stop()
}

test('a participant that is published while processes run takes part in sagas without a restart', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants, publishSaga } = await bare(stage)
  await participants.accept(loyalty)
  t.deepEqual(system.definitions.contracts.commandNames, ['AwardPoints', 'IssueVoucher'])
  await publishSaga()
  await stage.until(() => system.definitions.current('loyalty') !== undefined)
  await finishes(stage, system, 'o-1')
  t.deepEqual(stage.errors, [])
})

test('a saga that comes before its participant is told of, and begins once that has come', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants, publishSaga } = await bare(stage)
  await publishSaga()
  await stage.until(() => stage.errors.length > 0)
  t.like(stage.errors, [{ code: 'PARCOMOLO_SAGA_INVALID' }])
  await participants.accept(loyalty)
  t.truthy(system.definitions.current('loyalty'))
  await finishes(stage, system, 'o-1')
})

test('a process that starts later has the participants that were published before', async (t) => {
  const stage = await Stage.open(t)
  const first = await bare(stage)
  await first.participants.accept(loyalty)
  await first.publishSaga()
  await first.system.stop()
  const second = await bare(stage)
  t.truthy(second.system.definitions.current('loyalty'))
  await finishes(stage, second.system, 'o-2')
  t.deepEqual(stage.errors, [])
})

test('the same contract in other words publishes nothing', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants } = await bare(stage)
  await participants.accept(loyalty)
  const place = { topic: 'saga-definitions', partition: 0 }
  const before = await stage.log.end(place)
  await participants.accept({ ...loyalty, yaml: `# said again\n${participant}` })
  t.is(await stage.log.end(place), before)
  await system.stop()
})

test('a new field with a default is in force for sagas that were there already', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants, publishSaga, codec } = await bare(stage)
  await participants.accept(loyalty)
  await publishSaga()
  const yaml = participant.replace('long points; }', 'long points; string reason = "order"; }')
  await participants.accept({ ...loyalty, yaml })
  await stage.until(() => system.definitions.current('loyalty') !== undefined)
  await stage.say(0, stage.encode('OrderPaid', { orderId: 'o-1', totalCents: 500 }), { orderId: 'o-1' })
  const { record } = await stage.command('AwardPoints', 'o-1')
  t.deepEqual(codec.decode(record.value!).value, { orderId: 'o-1', points: 5, reason: 'order' })
  await system.stop()
})

test('an incompatible contract is refused, naming the subject, and the one before stays in force', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants } = await bare(stage)
  await participants.accept(loyalty)
  const yaml = participant.replace('long points; }', 'long points; string reason; }')
  const error = await t.throwsAsync(participants.accept({ ...loyalty, yaml }), {
    code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE'
  })
  t.regex(error.message, /loyalty-commands-test\.loyalty\.AwardPoints/)
  const known = system.definitions.contracts.command('AwardPoints')
  t.is('found' in known ? known.found.record.fields.length : 0, 2)
  await system.stop()
})

test("one that takes another's topic is refused before anything is registered", async (t) => {
  const stage = await Stage.open(t)
  const { system, participants } = await bare(stage)
  await participants.accept(loyalty)
  const yaml = participant.replaceAll('test.loyalty', 'test.rival').replace('name: loyalty', 'name: rival')
  await t.throwsAsync(participants.accept({ name: 'rival', source: 'participant/rival', yaml }), {
    code: 'PARCOMOLO_CONTRACT_CONFLICT',
    message: /'loyalty-commands' belongs to/
  })
  await system.stop()
})

test('a participant that was withdrawn unjudged is unknown to new sagas, and those that run go on', async (t) => {
  const stage = await Stage.open(t)
  const { system, participants, publisher, publishSaga } = await bare(stage)
  await participants.accept(loyalty)
  await publishSaga()
  await stage.until(() => system.definitions.current('loyalty') !== undefined)
  await publisher.publishParticipant({ participant: 'loyalty', source: '', yaml: '', withdrawn: true })
  await system.definitions.caughtUp()
  t.deepEqual(system.definitions.contracts.commandNames, [])
  t.truthy(system.definitions.current('loyalty'))
  t.like(stage.errors, [{ code: 'PARCOMOLO_SAGA_INVALID' }])
  await system.stop()
})
