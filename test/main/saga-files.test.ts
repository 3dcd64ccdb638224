import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { adoptContract, contractSet, registerContracts } from '../../src/contract/index.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { followSagaFiles } from '../../src/main/saga-files.ts'
import { ownRecords } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { newFolder } from '../log/folder.ts'
import { participant, saga, Stage } from '../orchestrator/stage.ts'

/** A process of a release that knows no participant, and follows an empty folder. */
const following = async (t: ExecutionContext) => {
  const stage = await Stage.open(t)
  const dir = newFolder(t)
  await mkdir(join(dir, 'participants'))
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const system = await stage.run({
    ...{ codec, contracts: contractSet([]) },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const { definitions } = system
  const publisher = await openPublisher(stage.log, codec, stage.clock)
  const refused: [string, unknown][] = []
  const files = await followSagaFiles({
    ...{ dir, definitions, publisher, clock: systemClock },
    participants: participantsOf({ registry: stage.registry, codec, definitions, publisher }),
    onPublished: () => undefined,
    onRefused: (path, error) => refused.push([path, error])
  })
  t.teardown(() => files.close())
  return { stage, dir, definitions, refused }
}

test('a participant and a saga that are saved while it runs are followed, in whatever order', async (t) => {
  const { stage, dir, definitions, refused } = await following(t)
  await writeFile(join(dir, 'loyalty.yaml'), saga)
  await stage.until(() => refused.length > 0)
  t.like(refused[0]![1], { code: 'PARCOMOLO_SAGA_INVALID' })
  await writeFile(join(dir, 'participants', 'loyalty.yaml'), participant)
  await stage.until(() => definitions.current('loyalty') !== undefined)
  t.deepEqual(definitions.contracts.commandNames, ['AwardPoints', 'IssueVoucher'])
})

test('a participant that is broken is refused with its place, and the one before stays', async (t) => {
  const { stage, dir, definitions, refused } = await following(t)
  const file = join(dir, 'participants', 'loyalty.yaml')
  await writeFile(file, participant)
  await stage.until(() => definitions.isPublished('loyalty'))
  await writeFile(file, participant.replace('inbox:', 'inbux:'))
  await stage.until(() => refused.length > 0)
  t.is(refused[0]![0], file)
  t.like(refused[0]![1], { code: 'PARCOMOLO_CONTRACT_INVALID' })
  t.true(definitions.isPublished('loyalty'))
})

test('a participant that claims a topic of the product is refused before anything of it is published', async (t) => {
  const { stage, dir, definitions, refused } = await following(t)
  const file = join(dir, 'participants', 'loyalty.yaml')
  for (const inbox of ['saga-definitions', 'saga-events', 'dead-letters', 'order-snapshots']) {
    await writeFile(file, participant.replace('loyalty-commands', inbox))
    await stage.until(() =>
      refused.some(([, error]) => (error as Error).message.includes(`topic '${inbox}' belongs to`))
    )
  }
  for (const [, error] of refused) t.like(error, { code: 'PARCOMOLO_CONTRACT_CONFLICT' })
  t.false(definitions.isPublished('loyalty'))
  t.deepEqual(await stage.registry.versions('saga-definitions-test.loyalty.AwardPoints'), [])
})

test('a participant that is renamed is told what to do, and stays as it was', async (t) => {
  const { stage, dir, definitions, refused } = await following(t)
  const file = join(dir, 'participants', 'loyalty.yaml')
  await writeFile(file, participant)
  await stage.until(() => definitions.isPublished('loyalty'))
  await writeFile(file, participant.replace('name: loyalty', 'name: fidelity'))
  await stage.until(() => refused.length > 0)
  t.like(refused[0]![1], { code: 'PARCOMOLO_CONTRACT_CONFLICT' })
  t.regex(
    (refused[0]![1] as Error).message,
    /; name it 'loyalty' again, or take away what 'loyalty' came from: its file/
  )
  t.true(definitions.isPublished('loyalty'))
})

test('a saga whose file is gone begins no more', async (t) => {
  const { stage, dir, definitions } = await following(t)
  await writeFile(join(dir, 'participants', 'loyalty.yaml'), participant)
  await writeFile(join(dir, 'loyalty.yaml'), saga)
  await stage.until(() => definitions.current('loyalty') !== undefined)
  await rm(join(dir, 'loyalty.yaml'))
  await stage.until(() => definitions.current('loyalty') === undefined)
  t.true(definitions.newest('loyalty')?.retired)
})
