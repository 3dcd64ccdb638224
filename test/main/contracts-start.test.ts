import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Config, readConfig } from '../../src/config/index.ts'
import { type Running, start } from '../../src/main/start.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { orderBody } from '../http/requests.ts'

type Json = Record<string, unknown>

/** A laptop with a folder of sagas of its own: the shop's, and those of a foreign participant. */
const laptop = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-contracts-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const sagasFolder = join(folder, 'sagas')
  await cp('sagas', sagasFolder, { recursive: true })
  const config: Config = {
    ...readConfig({}),
    port: 0,
    dataFolder: join(folder, 'data'),
    logLevel: 'error',
    sagasFolder
  }
  const file = (name: string): string => join(sagasFolder, name)
  const edit = async (name: string, from: string | RegExp, to: string): Promise<void> => {
    const before = await readFile(file(name), 'utf8')
    const after = before.replace(from, to)
    t.not(after, before, `${name} has it`)
    await writeFile(file(name), after)
  }
  const addLoyalty = async (): Promise<void> => {
    await cp('test/foreign/loyalty/saga.yaml', file('loyalty.yaml'))
    await cp('test/foreign/loyalty/participant.yaml', file('participants/loyalty.yaml'))
  }
  return { config, file, edit, addLoyalty }
}

/** A start, with the lines that it has said until it was ready. */
const started = async (t: ExecutionContext, config: Config): Promise<Running & { readonly lines: readonly Json[] }> => {
  const lines: Json[] = []
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = ((text: string) => lines.push(JSON.parse(text) as Json) > 0) as typeof write
  try {
    const running = await start(config)
    let stopped: Promise<void> | undefined
    const stop = (): Promise<void> => (stopped ??= running.stop())
    t.teardown(stop)
    return { ...running, stop, lines }
  } finally {
    process.stderr.write = write
  }
}

const json = async (url: string): Promise<Json> => (await (await fetch(url)).json()) as Json

const place = async (url: string, changes: object = {}): Promise<string> => {
  const answer = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(orderBody(changes))
  })
  return String(((await answer.json()) as Json)['orderId'])
}

const isReady = async (url: string): Promise<boolean> => (await fetch(`${url}/readyz`)).ok

const currentOf = async (url: string, saga: string): Promise<unknown> => {
  const { revisions } = (await json(`${url}/definitions/${saga}`)) as {
    revisions: { revision: string; current: boolean; retired: boolean }[]
  }
  return revisions.find(({ current, retired }) => current && !retired)?.revision
}

const refund = /^.*refundPayment.*$/m

for (const { title, name, from, to, place: where } of [
  {
    title: 'a command',
    ...{ name: 'participants/payment.yaml', from: refund, to: '' },
    place: /order\.yaml:30:30 steps\[1\]\.compensate\.command: unknown command 'RefundPayment'/
  },
  {
    title: 'a field of an event',
    ...{ name: 'participants/order.yaml', from: /(record OrderPlaced \{[^}]*)string paymentToken;/, to: '$1' },
    place: /order\.yaml:26:22 steps\[1\]\.with\.token: 'start' \(OrderPlaced\) has no field 'paymentToken'/
  }
]) {
  test.serial(`a start does without a contract that takes ${title} from a saga in force, and says so`, async (t) => {
    const { config, file, edit } = await laptop(t)
    const first = await started(t, config)
    const revision = await currentOf(first.url, 'order')
    await first.stop()
    await edit(name, from, to)
    for (const _ of ['once', 'twice']) {
      const next = await started(t, config)
      t.true(await isReady(next.url))
      t.is(next.lines.length, 1)
      t.like(next.lines[0], { level: 'error', path: file(name), code: 'PARCOMOLO_CONTRACT_IN_USE' })
      t.regex(String(next.lines[0]!['error']), where)
      t.regex(
        String(next.lines[0]!['error']),
        /publish a saga that does without, and the contract is taken, at the next/
      )
      t.is(await currentOf(next.url, 'order'), revision)
      t.like(await json(`${next.url}/orders/${await place(next.url)}?wait=20s`), { status: 'COMPLETED' })
      const declined = await place(next.url, { paymentToken: 'tok_declined' })
      t.like(await json(`${next.url}/orders/${declined}?wait=20s`), { status: 'REJECTED' })
      await next.stop()
    }
  })
}

test.serial('a start takes such a contract together with the saga that does without', async (t) => {
  const { config, edit } = await laptop(t)
  const first = await started(t, config)
  const revision = await currentOf(first.url, 'order')
  await first.stop()
  await edit('participants/payment.yaml', refund, '')
  await edit('order.yaml', /compensate: \{ command: RefundPayment.*\}/, 'compensate: none')
  const next = await started(t, config)
  t.deepEqual(next.lines, [])
  t.true(await isReady(next.url))
  t.not(await currentOf(next.url, 'order'), revision)
  t.like(await json(`${next.url}/orders/${await place(next.url)}?wait=20s`), { status: 'COMPLETED' })
})

test.serial('a start keeps what an instance of an older revision needs until that has ended', async (t) => {
  const { config, file, edit } = await laptop(t)
  await edit('order.yaml', 'timeout: 3s', 'timeout: 50m')
  const first = await started(t, config)
  const orderId = await place(first.url, { paymentToken: 'tok_silent' })
  await until(async () => (await json(`${first.url}/sagas/order/${orderId}`))['step'] === 'payment')
  await edit('order.yaml', /compensate: \{ command: RefundPayment.*\}/, 'compensate: none')
  await first.stop()
  const second = await started(t, config)
  await second.stop()
  await edit('participants/payment.yaml', refund, '')
  const third = await started(t, config)
  t.true(await isReady(third.url))
  t.is(third.lines.length, 1)
  t.like(third.lines[0], { path: file('participants/payment.yaml'), code: 'PARCOMOLO_CONTRACT_IN_USE' })
  t.regex(String(third.lines[0]!['error']), /on which instances still run, .* taken when they have ended, at the next/)
  const answer = await fetch(`${third.url}/cancelOrder`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orderId })
  })
  t.is(answer.status, 200)
  const isUndone = async (): Promise<boolean> =>
    (await json(`${third.url}/sagas/order/${orderId}`))['status'] === 'compensated'
  await until(isUndone)
  await third.stop()
  const fourth = await started(t, config)
  t.deepEqual(fourth.lines, [])
  t.like(await json(`${fourth.url}/orders/${await place(fourth.url)}?wait=20s`), { status: 'COMPLETED' })
})

test.serial('a start registers nothing of a contract of others that it refuses', async (t) => {
  const { config, file, edit, addLoyalty } = await laptop(t)
  await addLoyalty()
  const first = await started(t, config)
  await first.stop()
  await edit('participants/loyalty.yaml', 'long points; long balance; }', 'long points; }')
  const next = await started(t, config)
  t.true(await isReady(next.url))
  t.like(next.lines, [{ path: file('participants/loyalty.yaml'), code: 'PARCOMOLO_CONTRACT_IN_USE' }])
  t.regex(String(next.lines[0]!['error']), /loyalty\.yaml:14:61 steps\[1\]\.with\.balance: .* has no field 'balance'/)
  await next.stop()
  const registry = await openEmbeddedRegistry(join(config.dataFolder, 'registry'))
  t.is((await registry.versions('loyalty-events-example.loyalty.PointsAwarded')).length, 1)
  await registry.close()
})

test.serial('a start takes a contract and a saga that need each other, in place of two that did', async (t) => {
  const { config, edit, addLoyalty } = await laptop(t)
  await addLoyalty()
  const first = await started(t, config)
  const revision = await currentOf(first.url, 'loyalty')
  await first.stop()
  await edit('participants/loyalty.yaml', 'long points; long balance; }', 'long points; long total = 0; }')
  await edit('loyalty.yaml', 'steps.points.balance', 'steps.points.total')
  const next = await started(t, config)
  t.deepEqual(next.lines, [])
  t.not(await currentOf(next.url, 'loyalty'), revision)
})

test.serial('a start keeps the contract of a participant whose file is gone, where a saga needs it', async (t) => {
  const { config, file, addLoyalty } = await laptop(t)
  await addLoyalty()
  const first = await started(t, config)
  const revision = await currentOf(first.url, 'loyalty')
  await first.stop()
  await rm(file('participants/loyalty.yaml'))
  const next = await started(t, config)
  t.true(await isReady(next.url))
  t.is(next.lines.length, 1)
  const path = file('participants/loyalty.yaml')
  t.like(next.lines[0], { participant: 'loyalty', path, code: 'PARCOMOLO_CONTRACT_IN_USE' })
  t.is(await currentOf(next.url, 'loyalty'), revision)
  await next.stop()
  await rm(file('loyalty.yaml'))
  const last = await started(t, config)
  t.deepEqual(last.lines, [])
  t.is(await currentOf(last.url, 'loyalty'), undefined)
})

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => void setImmediate(resolve))
}
