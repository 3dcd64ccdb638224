import test from 'ava'
import { adoptContract, contractSet, readContract, registerContracts } from '../../src/contract/index.ts'
import { agreedContracts } from '../../src/main/agreed-contracts.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { ownRecords } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { participant, saga, Stage } from '../orchestrator/stage.ts'

const subject = 'loyalty-commands-test.loyalty.AwardPoints'
const award = 'record AwardPoints { string orderId; long points; }'
const withoutPoints = participant.replace(award, 'record AwardPoints { string orderId; }')
const wordier = participant.replace(award, award.replace('}', 'string reason = "order"; }'))

const filesWith = (text: string) => contractSet([readContract({ path: 'loyalty.yaml', text })])

const loyaltyOf = (yaml: string) => ({ name: 'loyalty', source: 'loyalty.yaml', yaml })

test('a file that was refused becomes nothing that others are judged by, when a process starts with it', async (t) => {
  const stage = await Stage.open(t)
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const system = await stage.run({
    ...{ codec, contracts: contractSet([]) },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const { definitions } = system
  const publisher = await openPublisher(stage.log, codec, stage.clock, definitions)
  const participants = participantsOf({ registry: stage.registry, codec, definitions, publisher })
  await participants.accept(loyaltyOf(participant))
  await publisher.publish({ saga: 'loyalty', revision: 'r1', source: 'l.yaml', yaml: saga, retired: false })
  await t.throwsAsync(participants.accept(loyaltyOf(withoutPoints)), { code: 'PARCOMOLO_CONTRACT_IN_USE' })

  const { contracts } = await agreedContracts(stage.log, stage.registry, filesWith(withoutPoints))
  t.deepEqual(contracts, [], 'the published one is in force')
  t.is((await stage.registry.versions(subject)).length, 1)
  await participants.accept(loyaltyOf(wordier))
  t.is((await stage.registry.versions(subject)).length, 2)
  await participants.withdraw('loyalty')
  t.is((await agreedContracts(stage.log, stage.registry, filesWith(wordier))).contracts.length, 1)
  await system.stop()
})

test('where nothing was published yet, the contracts of the files are in force', async (t) => {
  const stage = await Stage.open(t)
  const { contracts, codec } = await agreedContracts(stage.log, stage.registry, filesWith(wordier))
  t.deepEqual(
    contracts.map((contract) => contract.participant),
    ['loyalty']
  )
  t.notThrows(() => codec.encode('test.loyalty.AwardPoints', { orderId: 'o', points: 1 }))
  t.is((await stage.registry.versions(subject)).length, 2)
})
