import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adoptContract, contractSet, registerContracts } from '../../../src/contract/index.ts'
import { participantsOf } from '../../../src/main/participants.ts'
import { followSagaFiles } from '../../../src/operator/files/saga-files.ts'
import { ownRecords, theShop } from '../../helpers/shop-parts.ts'
import { openPublisher } from '../../../src/orchestrator/index.ts'
import { newFolder } from '../../log/folder.ts'
import { participant, saga, Stage } from '../../orchestrator/stage.ts'

const contractFile = 'participants/loyalty.yaml'
const sagaFile = 'loyalty.yaml'

/** Only a participant and a saga that are in force, and a folder that is followed by the clock of the stage. */
const inForce = async (t: ExecutionContext) => {
  const stage = await Stage.open(t)
  const dir = newFolder(t)
  await mkdir(join(dir, 'participants'), { recursive: true })
  const save = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text)
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const { definitions } = await stage.run({
    ...{ codec, contracts: contractSet([]) },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const publisher = await openPublisher(stage.log, codec, stage.clock, definitions)
  const refused: [string, Error][] = []
  const needed: [string, string, Error][] = []
  const published: string[] = []
  await save(contractFile, participant)
  await save(sagaFile, saga)
  const files = await followSagaFiles({
    ...{ dir, definitions, publisher, clock: stage.clock },
    participants: participantsOf({ application: theShop, registry: stage.registry, codec, definitions, publisher }),
    onPublished: (name, revision) => published.push(`${name} ${revision}`),
    onRefused: (path, error) => refused.push([path.slice(dir.length + 1), error as Error]),
    onNeeded: (name, path, error) => needed.push([name, path.slice(dir.length + 1), error as Error])
  })
  t.teardown(() => files.close())
  t.deepEqual(refused, [])
  const fieldsOf = (record: string): string[] | undefined =>
    definitions.contracts
      .ofTopic('loyalty-events')
      ?.records.get(record)
      ?.fields.map(({ name }) => name)
  const remove = (name: string): Promise<void> => rm(join(dir, name))
  return { stage, definitions, refused, needed, published, save, remove, fieldsOf }
}

const without = participant.replace(
  'record PointsAwarded { string orderId; long balance; }',
  'record PointsAwarded { string orderId; }'
)
const doingWithout = saga.replace('balance: steps.points.balance', 'balance: 0')
/** It has what the saga of its save needs, and no longer what the one before needs. */
const other = participant.replace(
  'record PointsAwarded { string orderId; long balance; }',
  'record PointsAwarded { string orderId; long total = 0; }'
)
const usingOther = saga.replace('steps.points.balance', 'steps.points.total')

const saves = [
  { what: 'takes a field away that the saga does without', contract: without, text: doingWithout, fields: ['orderId'] },
  {
    what: 'has a field in place of another, and so does the saga',
    contract: other,
    text: usingOther,
    fields: ['orderId', 'total']
  }
]

for (const { what, contract, text, fields } of saves) {
  test(`a contract that ${what} comes into force with it, saved at once`, async (t) => {
    const { stage, definitions, refused, save, fieldsOf } = await inForce(t)
    const { revision } = definitions.current('loyalty')!
    await Promise.all([save(sagaFile, text), save(contractFile, contract)])
    await stage.until(() => definitions.current('loyalty')?.revision !== revision)
    await stage.until(() => fieldsOf('PointsAwarded')?.length === fields.length)
    t.deepEqual(fieldsOf('PointsAwarded'), fields)
    t.deepEqual([refused, stage.errors], [[], []])
  })

  for (const isContractFirst of [true, false]) {
    const order = isContractFirst ? 'the contract first' : 'the saga first'
    test(`a contract that ${what} comes into force with it, ${order}, and the other a while after`, async (t) => {
      const { stage, definitions, refused, published, save, fieldsOf } = await inForce(t)
      const saveOne = (isContract: boolean): Promise<void> =>
        isContract ? save(contractFile, contract) : save(sagaFile, text)
      await saveOne(isContractFirst)
      await stage.until(() => refused.length + published.length > 1)
      await saveOne(!isContractFirst)
      await stage.until(() => JSON.stringify(fieldsOf('PointsAwarded')) === JSON.stringify(fields))
      await stage.until(() => published.length === 2)
      t.is(published[1], `loyalty ${definitions.current('loyalty')?.revision}`)
      t.true(refused.length <= 1, 'the first was told once, and nothing of the second')
      t.deepEqual(stage.errors, [])
    })
  }
}

test('what two contracts and a saga say only together comes into force with one save', async (t) => {
  const { stage, definitions, refused, published, save } = await inForce(t)
  const gifts = participant
    .replaceAll('loyalty', 'gifts')
    .replaceAll(/(OrderPaid|AwardPoints|PointsAwarded|IssueVoucher|VoucherIssued)/g, '$1Gift')
  await save('participants/gifts.yaml', gifts)
  await stage.until(() => definitions.isPublished('gifts'))
  const moved = /record IssueVoucher .*\n.*record VoucherIssued .*\n.*VoucherIssued issueVoucher.*\n/
  const text = moved.exec(participant)![0]!.replace('issueVoucher', 'giveVoucher')
  await Promise.all([
    save(contractFile, participant.replace(moved, '')),
    save('participants/gifts.yaml', gifts.replace('    }\n', `      ${text}    }\n`)),
    save(sagaFile, saga.replace('command: IssueVoucher', 'command: IssueVoucher\n      timeout: 3s'))
  ])
  const owner = (): string | undefined => {
    const command = definitions.contracts.command('IssueVoucher')
    return 'found' in command ? command.found.contract.participant : undefined
  }
  await stage.until(() => owner() === 'gifts' && published.length === 2)
  t.deepEqual([refused, stage.errors], [[], []])
})

test('a contract is taken by itself when the instances have ended that needed the one before', async (t) => {
  const { stage, definitions, refused, published, save, fieldsOf } = await inForce(t)
  const award = await begin(stage)
  await save(sagaFile, doingWithout)
  await stage.until(() => published.length === 2)
  await save(contractFile, without)
  await stage.until(() => refused.length > 0)
  t.is(refused[0]![0], contractFile)
  t.like(refused[0]![1], { code: 'PARCOMOLO_CONTRACT_IN_USE' })
  await stage.pass(60_000)
  await finish(stage, award)
  await stage.until(() => fieldsOf('PointsAwarded')?.length === 1)
  t.is(refused.length, 1)
  t.deepEqual(definitions.contracts.commandNames, ['AwardPoints', 'IssueVoucher'])
})

test('a participant whose file is gone stays while a saga in force needs it, which is told once', async (t) => {
  const { stage, definitions, refused, needed, save, remove } = await inForce(t)
  await remove(contractFile)
  await stage.until(() => needed.length > 0)
  const [name, path, error] = needed[0]!
  t.deepEqual([name, path], ['loyalty', contractFile])
  t.like(error, { code: 'PARCOMOLO_CONTRACT_IN_USE' })
  t.regex(error.message, /^saga 'loyalty' needs participant 'loyalty', which is to go: .* which is in force, would no/)
  t.regex(error.message, /loyalty\.yaml:6:16 start\.on: unknown event 'OrderPaid'.*; put it back, or publish a saga/)
  await save('other.yaml', 'kind: Saga')
  await stage.until(() => refused.length > 0)
  await remove('other.yaml')
  t.true(definitions.isPublished('loyalty'))
  t.truthy(definitions.current('loyalty'))
  await remove(sagaFile)
  await stage.until(() => !definitions.isPublished('loyalty'))
  t.is(definitions.current('loyalty'), undefined)
  t.is(needed.length, 1)
  t.deepEqual(stage.errors, [])
})

test('the files of a saga and of its participant that go together let both go', async (t) => {
  const { stage, definitions, needed, refused, remove } = await inForce(t)
  await Promise.all([remove(contractFile), remove(sagaFile)])
  await stage.until(() => !definitions.isPublished('loyalty'))
  t.true(definitions.newest('loyalty')?.retired)
  t.deepEqual([needed, refused, stage.errors], [[], [], []])
})

test('a participant whose file is gone stays while an instance of a saga without a file needs it', async (t) => {
  const { stage, definitions, needed, remove } = await inForce(t)
  const award = await begin(stage)
  await Promise.all([remove(contractFile), remove(sagaFile)])
  await stage.until(() => needed.length > 0)
  t.true(definitions.newest('loyalty')?.retired)
  t.regex(needed[0]![2].message, /on which instances still run, .* it goes when they have ended$/)
  await finish(stage, award)
  await stage.until(() => !definitions.isPublished('loyalty'))
  t.is(needed.length, 1)
  t.deepEqual(stage.errors, [])
})

test('a participant whose file is gone for a moment, or may be in one that cannot be read, stays', async (t) => {
  const { stage, definitions, refused, published, save, remove } = await inForce(t)
  await remove(sagaFile)
  await stage.until(() => definitions.current('loyalty') === undefined)
  await remove(contractFile)
  await save('participants/new.yaml', 'kind: Participant')
  await stage.until(() => refused.length > 0)
  for (let ms = 0; ms < 10_000; ms++) await stage.pass(1)
  t.true(definitions.isPublished('loyalty'))
  await save(contractFile, participant)
  await remove('participants/new.yaml')
  await save(sagaFile, saga)
  await stage.until(() => definitions.current('loyalty') !== undefined)
  t.is(published.length, 3)
})

test('a participant may have another name once nothing needs the one before', async (t) => {
  const { stage, definitions, refused, remove, save } = await inForce(t)
  await save(contractFile, participant.replace('name: loyalty', 'name: fidelity'))
  await stage.until(() => refused.length > 0)
  t.like(refused[0]![1], { code: 'PARCOMOLO_CONTRACT_CONFLICT' })
  await remove(sagaFile)
  await stage.until(() => definitions.isPublished('fidelity'))
  t.false(definitions.isPublished('loyalty'))
})

const begin = async (stage: Stage) => {
  await stage.say(0, stage.encode('OrderPaid', { orderId: 'o', totalCents: 500 }), { orderId: 'o' })
  return stage.command('AwardPoints', 'o')
}

const finish = async (stage: Stage, award: Awaited<ReturnType<typeof begin>>): Promise<void> => {
  await stage.say(0, stage.encode('PointsAwarded', { orderId: 'o', balance: 5 }), { orderId: 'o', answers: award })
  const voucher = await stage.command('IssueVoucher', 'o')
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o' }), { orderId: 'o', answers: voucher })
  await stage.event('SagaCompleted', 'o')
}
