import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Crowd, rest } from '../e2e/crowd.ts'
import { KafkaShop } from '../e2e/kafka-shop.ts'
import { outcome, seeEveryOutcome } from '../e2e/outcomes.ts'
import { get, getAll, order, type OrderView, requestBody, type StockView } from '../e2e/shop-client.ts'
import { audit, type AuditRecord, told } from '../helpers/auditor.ts'
import { run } from './commands.ts'
import { chart, Release, roles, until } from './release.ts'

/** Two names of an image in the cluster: what is installed, and what is upgraded to. */
const image = process.env['CLUSTER_IMAGE']
const nextImage = process.env['CLUSTER_NEXT_IMAGE']

const minutes = 60_000
const example = 'manifests/loyalty'
const paid = 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed'
const release = new Release('parcomolo-e2e')
const crowds: Crowd[] = []
/** The one whose orders nothing but the upgrade holds up. */
let upgrading: Crowd | undefined

type Revision = { readonly revision: string; readonly current: boolean; readonly retired: boolean }

const currentRevision = async (saga: string): Promise<string> => {
  const { revisions } = await get<{ revisions: Revision[] }>(release, `/definitions/${saga}`)
  return revisions.find(({ current }) => current)!.revision
}

const field = (resource: string, path: string): Promise<string> =>
  release.kubectl('get', resource, '-o', `jsonpath={${path}}`)

const condition = (resource: string, type: string, what = 'status'): Promise<string> =>
  field(resource, `.status.conditions[?(@.type=="${type}")].${what}`)

/** `kubectl edit` with an editor that replaces this by that. */
const edit = (resource: string, from: string, to: string): Promise<string> =>
  run('kubectl', ['-n', release.namespace, 'edit', resource], { KUBE_EDITOR: `sed -i "s/${from}/${to}/"` })

const crowd = (t: ExecutionContext, name: string, tokens?: readonly string[]): Crowd => {
  const one = new Crowd(release, { clients: 4, waitsForEnds: true, name, ...(tokens && { tokens }) })
  crowds.push(one)
  t.teardown(() => one.abandon())
  return one
}

/** Orders end again, a few of every client. */
const goesOn = async ({ endedAt }: Crowd): Promise<void> => {
  const before = endedAt.length
  await until(async () => endedAt.length > before + 8)
}

if (image === undefined || nextImage === undefined)
  test.skip('cluster: CLUSTER_IMAGE and CLUSTER_NEXT_IMAGE name no images', () => undefined)
else {
  test.before(() => release.makeNamespace())
  test.after.always(() => release.close())
  testInstall(image)
  testEdits()
  testDisturbances(nextImage)
  testNewParticipant()
  testUninstall()
}

function testInstall(installed: string): void {
  test.serial('helm install brings everything up, and an order is completed, within 90 s', async (t) => {
    t.timeout(6 * minutes)
    const began = performance.now()
    await release.deploy('install', installed)
    await release.forwardRest()
    t.is(outcome(await order(release, requestBody('tok_visa', 'lamp'))), paid)
    const seconds = (performance.now() - began) / 1000
    t.log(`install to first completed order: ${seconds.toFixed(1)} s`)
    t.true(seconds < 90, `${seconds} s`)
  })

  test.serial('orders end in every way through kubectl port-forward', async (t) => {
    t.timeout(3 * minutes)
    await seeEveryOutcome(t, release)
  })

  test.serial('helm test places an order and sees it completed', async (t) => {
    t.timeout(3 * minutes)
    t.regex(await release.helm('test'), /Phase: +Succeeded/)
  })

  test.serial('kubectl get sagas tells the truth', async (t) => {
    await release.kubectl('wait', '--for=condition=Ready', 'saga/order', '--timeout=10s')
    t.is(await field('saga/order', '.status.revision'), await currentRevision('order'))
    t.is(await field('saga/order', '.status.stepCount'), '6')
    const columns = await release.kubectl('get', 'sagas')
    t.log(columns.trim())
    t.regex(columns, /^NAME +READY +REASON/)
    t.regex(columns, /^order +True/m)
    t.regex(await release.kubectl('get', 'participants'), /^inventory +True/m)
  })

  test.serial('the whole installation without Kafka takes less than 1.5 GB at rest', async (t) => {
    const pods = [...(await release.memory())].filter(([pod]) => !pod.includes('kafka'))
    const megabytes = pods.map(([pod, bytes]) => `${pod} ${Math.round(bytes / 1e6)}`)
    const total = pods.reduce((sum, [, bytes]) => sum + bytes, 0)
    t.log(`${Math.round(total / 1e6)} MB: ${megabytes.join(', ')}`)
    t.true(pods.length >= roles.length)
    t.true(total < 1.5e9)
  })
}

function testEdits(): void {
  test.serial('an edit of a saga is obeyed within a second, by new orders only', async (t) => {
    const before = await currentRevision('order')
    await edit('saga/order', 'deadline: 1h', 'deadline: 2h')
    const answered = performance.now()
    const after = await until(async () => {
      const revision = await currentRevision('order')
      return revision === before ? undefined : revision
    })
    const ms = performance.now() - answered
    t.log(`followed ${Math.round(ms)} ms after kubectl edit had its answer`)
    t.true(ms <= 1000, `${ms} ms`)
    const placed = await order(release, requestBody('tok_visa'))
    t.is(placed.saga?.revision, after)
    t.is(outcome(placed), paid)
    await release.kubectl('wait', '--for=condition=Ready', 'saga/order', '--timeout=10s')
    t.is(await field('saga/order', '.status.revision'), after)
  })

  test.serial('an edit that breaks the structure is refused at once, with its reason', async (t) => {
    const patch = '{"spec":{"deadline":"soon"}}'
    const refused = await t.throwsAsync(release.kubectl('patch', 'saga', 'order', '--type=merge', '-p', patch))
    t.regex(refused.message, /spec\.deadline/)
  })

  test.serial('an edit that breaks the saga is shown with its reason, and the running revision stays', async (t) => {
    t.timeout(2 * minutes)
    const before = await currentRevision('order')
    await edit('saga/order', 'command: ReserveStock', 'command: ReservStock')
    await until(async () => (await condition('saga/order', 'Stalled')) === 'True')
    t.is(await condition('saga/order', 'Ready'), 'False')
    t.regex(await condition('saga/order', 'Ready', 'message'), /did you mean 'ReserveStock'/)
    t.log((await release.kubectl('get', 'sagas', '-o', 'wide')).trim())
    t.is(await currentRevision('order'), before)
    t.is(outcome(await order(release, requestBody('tok_visa'))), paid)
    await edit('saga/order', 'command: ReservStock', 'command: ReserveStock')
    await release.kubectl('wait', '--for=condition=Ready', 'saga/order', '--timeout=10s')
    t.is(await currentRevision('order'), before)
  })
}

function testDisturbances(next: string): void {
  test.serial('nothing is lost, whatever pod is killed under load', async (t) => {
    t.timeout(15 * minutes)
    await release.forwardKafka()
    const load = crowd(t, 'killing ')
    await goesOn(load)
    for (const component of [...roles, 'registry', 'kafka']) {
      const killedAt = performance.now()
      await release.kill(component)
      await goesOn(load)
      t.log(`${component} killed: orders end again after ${seconds(performance.now() - killedAt)} s`)
      // One at a time: a registry that loses its broker while it starts hangs until its startup probe gives up.
      await release.untilRolledOut()
    }
    await load.stop()
    t.true(load.orders.size > 0)
  })

  test.serial('helm upgrade to another image and an edited saga, and back, loses nothing under load', async (t) => {
    t.timeout(15 * minutes)
    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-chart-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await cp(chart, folder, { recursive: true, dereference: true })
    const file = join(folder, 'sagas/order.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replace('deadline: 1h', 'deadline: 3h'))
    const load = crowd(t, 'upgrading ', ['tok_visa'])
    upgrading = load
    await goesOn(load)
    const before = await currentRevision('order')
    // `kubectl edit` has made the deadline its own.
    await release.deploy('upgrade', next, folder, '--force-conflicts')
    await goesOn(load)
    t.not(await currentRevision('order'), before)
    await release.helm('rollback', '--wait', '--timeout', '5m', '--force-conflicts')
    await goesOn(load)
    await load.stop()
  })

  test.serial('the auditor finds nothing wrong after all of it', async (t) => {
    t.timeout(5 * minutes)
    await release.untilForwarded()
    await rest(release)
    const shown = {
      orders: await getAll<OrderView>(release, '/orders'),
      stock: await getAll<StockView>(release, '/stock')
    }
    const kafka = new KafkaShop({ ...release.kafka, prefix: '' }, '')
    const records = await kafka.records()
    const schemas = await kafka.schemas(records)
    const acknowledged = {
      orders: crowds.flatMap(({ orders }) => [...orders.values()]),
      cancellations: crowds.flatMap(({ cancellations }) => cancellations),
      skus: ['book', 'lamp', 'unicorn', 'last-one']
    }
    const now = Date.now()
    t.is(told(audit({ records, schemas, flow: 'orchestration', isQuiet: true, now, acknowledged, shown })), '')
    t.log(`${shown.orders.length} orders, ${acknowledged.cancellations.length} cancelled`)
    const durations = durationsOf(records, new Set(upgrading?.orders.values()))
    const slowest = Math.max(...durations)
    t.log(`of ${durations.length} orders during upgrade and rollback the slowest took ${seconds(slowest)} s`)
    t.true(slowest <= 5_000, `${slowest} ms`)
  })
}

function testNewParticipant(): void {
  test.serial('a new participant and its saga work as soon as they are applied, with no restart', async (t) => {
    t.timeout(3 * minutes)
    await release.kubectl('apply', '-k', example)
    await release.kubectl('rollout', 'status', 'statefulset/loyalty', '--timeout=120s')
    await release.kubectl('wait', '--for=condition=Ready', 'participant/loyalty', 'saga/loyalty', '--timeout=60s')
    const { orderId } = await order(release, requestBody('tok_visa', 'lamp', 3))
    await until(async () => (await loyaltyOf(orderId)) === 'completed')
    t.pass()
  })

  test.serial('a saga that is deleted stays until its instances have ended', async (t) => {
    t.timeout(3 * minutes)
    await release.kubectl('scale', 'statefulset/loyalty', '--replicas=0')
    await until(async () => !(await release.kubectl('get', 'pods', '-o', 'name')).includes('loyalty'))
    const { orderId } = await order(release, requestBody('tok_visa', 'lamp', 3))
    await release.kubectl('delete', 'saga', 'loyalty', '--wait=false')
    const message = await until(async () => {
      const text = await condition('saga/loyalty', 'Ready', 'message')
      return text.includes('still run') ? text : undefined
    })
    t.log(message)
    t.regex(message, /^1 instance still runs/)
    await release.kubectl('scale', 'statefulset/loyalty', '--replicas=1')
    await release.kubectl('wait', '--for=delete', 'saga/loyalty', '--timeout=120s')
    t.is(await loyaltyOf(orderId), 'completed')
    await release.kubectl('delete', '-k', example, '--ignore-not-found', '--timeout=60s')
  })
}

function testUninstall(): void {
  test.serial('helm uninstall leaves only what the README names', async (t) => {
    t.timeout(5 * minutes)
    await release.helm('uninstall', '--wait', '--timeout', '3m')
    const kinds = 'all,configmap,secret,pvc,serviceaccount,role,rolebinding,networkpolicy,pdb,lease,saga,participant'
    await until(async () => !/pod\//.test(await release.kubectl('get', 'pods', '-o', 'name')), 500)
    const left = (await release.kubectl('get', kinds, '-o', 'name')).trim().split('\n').toSorted()
    const documented = [
      'configmap/kube-root-ca.crt',
      'persistentvolumeclaim/data-parcomolo-kafka-0',
      'secret/parcomolo-ids',
      'serviceaccount/default'
    ]
    t.deepEqual(left, documented)
  })
}

/** From each order's first event to its completion, in ms. */
const durationsOf = (records: readonly AuditRecord[], orders: ReadonlySet<string>): number[] => {
  const own = records.filter(({ topic, key }) => topic === 'order-events' && orders.has(key))
  return [...Map.groupBy(own, ({ key }) => key).values()].flatMap((events) => {
    const at = (type: string): number | undefined =>
      events.find(({ headers }) => headers['ce_type']?.endsWith(type) === true)?.timestamp
    const [placed, completed] = [at('OrderPlaced'), at('OrderCompleted')]
    return placed === undefined || completed === undefined ? [] : [completed - placed]
  })
}

const loyaltyOf = async (orderId: string): Promise<string> =>
  (await get<{ status: string }>(release, `/sagas/loyalty/${orderId}`)).status

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
