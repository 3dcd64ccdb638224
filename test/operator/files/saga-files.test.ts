import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ParcomoloError, systemClock } from '../../../src/base/index.ts'
import { adoptContract, contractSet, registerContracts } from '../../../src/contract/index.ts'
import { participantsOf } from '../../../src/main/participants.ts'
import type { Reader } from '../../../src/log/index.ts'
import { followSagaFiles } from '../../../src/operator/files/saga-files.ts'
import { SagaFolder } from '../../../src/operator/files/saga-folder.ts'
import { ownRecords, theShop } from '../../helpers/shop-parts.ts'
import { openPublisher } from '../../../src/orchestrator/index.ts'
import { newFolder } from '../../log/folder.ts'
import { participant, saga, Stage } from '../../orchestrator/stage.ts'
import { instead } from '../../simulation/other-log.ts'

/** A process of a release that knows no participant, and follows an empty folder. */
const following = async (t: ExecutionContext, prepared?: string) => {
  const stage = await Stage.open(t)
  const dir = prepared ?? newFolder(t)
  await mkdir(join(dir, 'participants'), { recursive: true })
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const system = await stage.run({
    ...{ codec, contracts: contractSet([]) },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const { definitions } = system
  const publisher = await openPublisher(stage.log, codec, stage.clock)
  const refused: [string, unknown][] = []
  const kept: [string, readonly string[]][] = []
  const published: string[] = []
  const files = await followSagaFiles({
    ...{ dir, definitions, publisher, clock: systemClock },
    participants: participantsOf({ application: theShop, registry: stage.registry, codec, definitions, publisher }),
    onPublished: (name, revision, what) =>
      published.push(what === 'published' ? `${name} ${revision}` : `${name} gone`),
    onRefused: (path, error) => refused.push([path, error]),
    onKept: (name, paths) => kept.push([name, paths])
  })
  t.teardown(() => files.close())
  return { stage, dir, definitions, refused, kept, published, close: () => files.close() }
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

test('what could not be published for want of the registry is published when it is back, and told once', async (t) => {
  const { stage, dir, definitions, refused } = await following(t)
  const { registry } = stage
  const register = registry.register.bind(registry)
  let asked = 0
  registry.register = async () => {
    asked++
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  }
  await writeFile(join(dir, 'participants', 'loyalty.yaml'), participant)
  await writeFile(join(dir, 'loyalty.yaml'), saga)
  await stage.until(() => refused.length === 2)
  const before = asked
  await stage.until(() => asked > before)
  t.deepEqual(
    refused.map(([, error]) => (error as ParcomoloError).code),
    ['PARCOMOLO_REGISTRY_UNAVAILABLE', 'PARCOMOLO_SAGA_INVALID']
  )
  registry.register = register
  await stage.until(() => definitions.current('loyalty') !== undefined)
  t.is(refused.length, 2)
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

test('a file is compared with what was published last, also by another process that has read it late', async (t) => {
  const stage = await Stage.open(t)
  let news = Promise.withResolvers<void>()
  news.resolve()
  const log = instead(stage.log, {
    reader: (starts, isolation) => {
      const reader = stage.log.reader(starts, isolation)
      return { ...bound(reader), ready: async () => reader.ready().then(() => news.promise) }
    }
  })
  const system = await stage.run({ log })
  const { definitions } = system
  const publisher = await openPublisher(stage.log, stage.codec, stage.clock)
  const { registry, codec } = stage
  const folder = new SagaFolder({
    ...{ dir: 'sagas', definitions, publisher, clock: stage.clock },
    from: { paths: async (dir) => (dir === 'sagas' ? ['loyalty.yaml'] : []), text: async () => saga },
    participants: participantsOf({ application: theShop, registry, codec, definitions, publisher }),
    onPublished: () => undefined,
    onRefused: (_, error) => t.fail(String(error))
  })
  await folder.publish(true)
  news = Promise.withResolvers()
  const yaml = saga.replace('start:', 'deadline: 1h\n  start:')
  await publisher.publish({ saga: 'loyalty', revision: 'earlier', source: 'loyalty.yaml', yaml, retired: false })
  const published = folder.publish(true)
  await stage.pass(1)
  news.resolve()
  await published
  await definitions.caughtUp()
  t.is(definitions.newest('loyalty')?.yaml, saga)
  await system.stop()
})

const bound = (reader: Reader): Reader => ({
  take: (...limits) => reader.take(...limits),
  ready: () => reader.ready(),
  close: () => reader.close()
})

/** The participant and the saga are in force; `edit` saves another revision of it. */
const inForce = async (t: ExecutionContext, prepared?: string) => {
  const found = await following(t, prepared)
  const { dir, stage, definitions, published } = found
  await writeFile(join(dir, 'participants', 'loyalty.yaml'), participant)
  await writeFile(join(dir, 'loyalty.yaml'), saga)
  await stage.until(() => definitions.current('loyalty') !== undefined)
  let edits = 0
  const text = (): string => saga.replace('start:', `deadline: ${++edits}h\n  start:`)
  const edit = (path = join(dir, 'loyalty.yaml')) => writeFile(path, text())
  const followed = async (): Promise<void> => {
    const before = published.length
    await stage.until(() => published.length > before)
  }
  return { ...found, text, edit, followed }
}

test('a folder that was made anew is followed, also the one of the participants', async (t) => {
  const { stage, dir, definitions, edit, followed } = await inForce(t)
  await rename(dir, `${dir}.old`)
  await cp(`${dir}.old`, dir, { recursive: true })
  await edit()
  await followed()
  await rm(`${dir}.old`, { recursive: true })
  const participants = join(dir, 'participants')
  await rename(participants, `${participants}.old`)
  await cp(`${participants}.old`, participants, { recursive: true })
  const other = participant
    .replaceAll('loyalty', 'gifts')
    .replaceAll(/(OrderPaid|AwardPoints|PointsAwarded|IssueVoucher|VoucherIssued)/g, '$1Gift')
  await writeFile(join(participants, 'gifts.yaml'), other)
  await stage.until(() => definitions.isPublished('gifts'))
  t.pass()
})

test('a link to another release, and the target outside of the folder that a link has, are followed', async (t) => {
  const root = newFolder(t)
  await mkdir(join(root, 'r1'))
  const dir = join(root, 'sagas')
  await symlink('r1', dir)
  const { text, followed } = await inForce(t, dir)
  await cp(join(root, 'r1'), join(root, 'r2'), { recursive: true })
  await writeFile(join(root, 'r2', 'loyalty.yaml'), text())
  await symlink('r2', join(root, 'next'))
  await rename(join(root, 'next'), dir)
  await followed()
  const outside = join(root, 'outside.yaml')
  await writeFile(outside, text())
  await rm(join(dir, 'loyalty.yaml'))
  await symlink('../outside.yaml', join(dir, 'loyalty.yaml'))
  await followed()
  await writeFile(outside, text())
  await followed()
  t.pass()
})

test('what is no file is refused with its place, and nothing else waits for it', async (t) => {
  const { stage, dir, refused, edit, followed, close } = await inForce(t)
  execFileSync('mkfifo', [join(dir, 'pipe.yaml'), join(dir, 'participants', 'pipe.yaml')])
  await mkdir(join(dir, 'folder.yaml'))
  await symlink('/dev/zero', join(dir, 'zero.yaml'))
  await symlink('nowhere', join(dir, 'broken.yaml'))
  await writeFile(join(dir, 'large.yaml'), Buffer.alloc(4_194_305, '#'))
  await edit()
  await followed()
  await stage.until(() => refused.length >= 6)
  const said = Object.fromEntries(
    refused.map(([path, error]) => {
      t.like(error, { code: 'PARCOMOLO_FILE_UNREADABLE' })
      return [path.slice(dir.length + 1), /\((.*)\)/.exec((error as Error).message)?.[1]]
    })
  )
  t.deepEqual(said, {
    'broken.yaml': 'ENOENT',
    'folder.yaml': 'it is a folder',
    'large.yaml': 'it has 4194305 bytes',
    'participants/pipe.yaml': 'it is a named pipe',
    'pipe.yaml': 'it is a named pipe',
    'zero.yaml': 'it is a device'
  })
  await close()
})

test('a busy neighbour holds nothing up, whether its file matters or not', async (t) => {
  const { dir, edit, followed } = await inForce(t)
  for (const neighbour of ['debug.log', 'busy.yaml']) {
    let isBusy = true
    const writing = (async () => {
      for (let i = 0; isBusy; i++) await writeFile(join(dir, neighbour), `# ${i}`)
    })()
    await edit()
    await followed()
    isBusy = false
    await writing
  }
  t.pass()
})

test('two files with one saga, or one participant, are both refused, and what is in force stays', async (t) => {
  const { stage, dir, definitions, refused, published, text } = await inForce(t)
  const { revision } = definitions.current('loyalty')!
  const before = published.length
  await writeFile(join(dir, 'loyalty2.yaml'), text())
  await writeFile(
    join(dir, 'participants', 'loyalty2.yaml'),
    participant.replace('string voucherId', 'string voucherName')
  )
  await stage.until(() => refused.length >= 4)
  t.deepEqual(
    refused.slice(0, 4).map(([path]) => path.slice(dir.length + 1)),
    ['participants/loyalty.yaml', 'participants/loyalty2.yaml', 'loyalty.yaml', 'loyalty2.yaml']
  )
  for (const [, error] of refused) t.like(error, { code: 'PARCOMOLO_SAGA_NAMED_TWICE' })
  t.is(
    (refused[2]![1] as Error).message,
    `saga 'loyalty' is in '${dir}/loyalty.yaml' and '${dir}/loyalty2.yaml'; ` +
      'expected each name in one file; rename one, or delete a file'
  )
  t.is(definitions.current('loyalty')!.revision, revision)
  t.is(published.length, before)
  await rm(join(dir, 'participants', 'loyalty2.yaml'))
  await rm(join(dir, 'loyalty.yaml'))
  await stage.until(() => definitions.current('loyalty')!.revision !== revision)
})

test('bytes that are no UTF-8 are refused with line and column', async (t) => {
  const { stage, dir, refused, definitions } = await inForce(t)
  const file = join(dir, 'loyalty.yaml')
  const { revision } = definitions.current('loyalty')!
  const latin = (await readFile(file, 'utf8')).replace('# ', '').replace('start.orderId,', "'zurück' + start.orderId,")
  await writeFile(file, Buffer.from(latin, 'latin1'))
  await stage.until(() => refused.length > 0)
  t.like(refused[0]![1], {
    code: 'PARCOMOLO_FILE_ENCODING',
    message: `${file}:10:28 the byte 0xfc is no UTF-8; save the file in UTF-8`
  })
  t.is(definitions.current('loyalty')!.revision, revision)
})

test('a file that is gone for a moment is no retirement', async (t) => {
  const { dir, published, text, followed } = await inForce(t)
  const before = published.length
  await rename(join(dir, 'loyalty.yaml'), join(dir, 'hidden'))
  await writeFile(join(dir, 'other.yaml'), text().replace('name: loyalty', 'name: other'))
  await followed()
  await rename(join(dir, 'hidden'), join(dir, 'loyalty.yaml'))
  await writeFile(join(dir, 'other.yaml'), text().replace('name: loyalty', 'name: other'))
  await followed()
  t.false(published.slice(before).some((what) => what.startsWith('loyalty')))
})

test('a saga whose file is gone while another one is refused stays, which is told once', async (t) => {
  const { stage, dir, definitions, kept, published, edit } = await inForce(t)
  const broken = join(dir, 'broken.yaml')
  await writeFile(broken, 'kind: Saga')
  await rm(join(dir, 'loyalty.yaml'))
  await stage.until(() => kept.length > 0)
  t.deepEqual(kept, [['loyalty', [broken]]])
  await edit(join(dir, 'again.yaml'))
  await stage.until(() => published.length > 1)
  await rm(join(dir, 'again.yaml'))
  await rm(broken)
  await stage.until(() => definitions.current('loyalty') === undefined)
  t.is(kept.length, 1)
})
