import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { idSecret } from '../../src/main/id-secret.ts'

const folder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-secret-'))
  t.teardown(() => rm(dir, { recursive: true }))
  return dir
}

const never = (text: string): never => {
  throw new Error(text)
}

const embedded = (dataFolder: string) => ({ idSecret: null, kafkaBrokers: null, dataFolder })

test('an embedded log has a secret beside it, which only its owner reads and which stays', async (t) => {
  const [one, other] = [await folder(t), await folder(t)]
  const made = idSecret(embedded(one), never)
  t.is(made?.length, 32)
  t.deepEqual(idSecret(embedded(one), never), made)
  t.notDeepEqual(idSecret(embedded(other), never), made)
  t.is((await stat(join(one, 'id-secret'))).mode & 0o777, 0o600)
})

test('a log that is there before its secret goes on without one, and it is said', async (t) => {
  const dir = await folder(t)
  await mkdir(join(dir, 'log'))
  const said: string[] = []
  t.is(
    idSecret(embedded(dir), (text) => void said.push(text)),
    null
  )
  t.is(said.length, 1)
  t.is(idSecret(embedded(dir), never), null)
})

test('a secret that was cut is refused with what to do, and not made anew', async (t) => {
  const dir = await folder(t)
  idSecret(embedded(dir), never)
  const path = join(dir, 'id-secret')
  const cut = (await readFile(path, 'utf8')).slice(0, 20)
  await writeFile(path, cut)
  const error = t.throws(() => idSecret(embedded(dir), never), { code: 'PARCOMOLO_MAIN_ID_SECRET_UNUSABLE' })
  t.false(error?.message.includes(cut))
  t.is(await readFile(path, 'utf8'), cut)
})

test('the setting comes first; on Kafka without it there is none, and it is said', (t) => {
  const said: string[] = []
  const onKafka = { kafkaBrokers: ['kafka:9092'], dataFolder: '/nowhere' }
  const unset = idSecret({ ...onKafka, idSecret: null }, (text) => void said.push(text))
  t.deepEqual(
    idSecret({ ...onKafka, idSecret: null }, () => undefined),
    unset
  )
  t.is(said.length, 1)
  t.is(idSecret({ ...onKafka, idSecret: 'a long secret of theirs' }, never)?.toString(), 'a long secret of theirs')
})
