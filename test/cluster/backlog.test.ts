/** What waits behind a role that is away, and behind one that is new, in a cluster: counts, no times. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { rest } from '../e2e/crowd.ts'
import { getAll, order, type OrderView, requestBody } from '../e2e/shop-client.ts'
import { Load, type LoadReport } from './load.ts'
import { chart, Release, until } from './release.ts'
import { writtenTo } from './topics.ts'

/** Two names of an image in the cluster: what is installed, and what is upgraded to. */
const image = process.env['CLUSTER_IMAGE']
const nextImage = process.env['CLUSTER_NEXT_IMAGE']

const minutes = 60_000
/** Which wait for the orchestrator, and which a new view stands behind. */
const backlog = 20_000
/** Inboxes that only the orchestrator writes to, but for the few records that fill the shelves. */
const inboxes = ['inventory-commands', 'payment-commands', 'shipping-commands']
/** What they are told of an order that ends well: reserve, pay, ship, dispatch. */
const commandsAnOrder = 4
const release = new Release('parcomolo-backlog')
const small = ['--values', join(import.meta.dirname, 'small.yaml')]
/** What an orchestrator reads at its start that no order is behind: definitions, and the ends of journals. */
const recordsBeside = 2_000
/** That were answered with 201. */
let taken = 0

const scale = (role: string, replicas: number): Promise<string> =>
  release.kubectl('scale', `deployment/parcomolo-${role}`, `--replicas=${replicas}`)

const noted = (t: ExecutionContext, report: LoadReport): LoadReport => {
  t.log(JSON.stringify(report))
  taken += report.taken
  return report
}

const commandsSent = (): Promise<number> => writtenTo(release.kafka.brokers, inboxes)

/** No container has ended and was started again: neither for its memory, nor for its probes. */
const noneRestarted = async (t: ExecutionContext): Promise<void> => {
  t.deepEqual([...(await release.restarts())], [])
}

/** A saga that has not begun yet is not there, so the orders tell: none of them waits for anything any more. */
const ordersEnded = async (): Promise<void> => {
  const waiting = ['PENDING', 'CONFIRMED'].map((status) => `${release.url}/orders?status=${status}&limit=1`)
  const isEmpty = async (url: string): Promise<boolean> => {
    const answer = await fetch(url)
    return answer.ok && ((await answer.json()) as { items: unknown[] }).items.length === 0
  }
  await until(async () => (await Promise.all(waiting.map(isEmpty))).every(Boolean))
}

/** Every order that was answered with 201 has come to its end, and no other is there. */
const allCompleted = async (t: ExecutionContext): Promise<void> => {
  await release.untilRead()
  await ordersEnded()
  await rest(release)
  const orders = await getAll<OrderView>(release, '/orders')
  const ends = Map.groupBy(orders, ({ status }) => status)
  t.deepEqual(
    [...ends].map(([status, all]) => [status, all.length]),
    [['COMPLETED', taken]]
  )
}

if (image === undefined || nextImage === undefined)
  test.skip('backlogs in a cluster: CLUSTER_IMAGE and CLUSTER_NEXT_IMAGE name no images', () => undefined)
else {
  test.before(async (t) => {
    t.timeout(6 * minutes)
    await release.makeNamespace()
    await release.deploy('install', image, chart, ...small)
    await release.forwardRest()
    await release.forwardKafka()
  })
  test.after.always(() => release.close())
  testOrchestrator(image)
  testViews(image)
  testRollouts(image, nextImage)
}

function testOrchestrator(installed: string): void {
  test.serial('the orchestrator comes back behind orders that waited, and sends no command twice', async (t) => {
    t.timeout(15 * minutes)
    await scale('orchestrator', 0)
    const load = await Load.start(release, { name: 'waiting', image: installed, clients: 64, orders: backlog })
    noted(t, await load.end())
    t.is(taken, backlog)
    await scale('orchestrator', 1)
    await release.untilRolledOut()
    await allCompleted(t)
    await noneRestarted(t)
    const anOrder = (await commandsSent()) / taken
    t.log(`${anOrder.toFixed(2)} commands an order`)
    t.true(anOrder <= 1.1 * commandsAnOrder, `${anOrder}`)
  })

  test.serial('an orchestrator that starts with nothing left to do reads little, and sends nothing', async (t) => {
    t.timeout(5 * minutes)
    const before = await commandsSent()
    // The first is told to stop, and so may leave what the next one starts from; the second is killed.
    await release.kubectl('rollout', 'restart', 'deployment/parcomolo-orchestrator')
    await release.untilRolledOut()
    await release.kill('orchestrator')
    await release.untilRolledOut()
    await noneRestarted(t)
    t.is(await commandsSent(), before)
    const read = await release.metric('orchestrator', 'parcomolo_log_fetched_records_total')
    const written = await writtenTo(release.kafka.brokers, ['saga-events'])
    t.log(`${read} records read, of ${written} that are its own`)
    // Of an order its key in the archive, and that it has left the snapshots, until Kafka compacts those; and where the
    // memory was short, what the snapshots have had of it while it waited.
    t.true(read <= 5 * taken + recordsBeside, `${read}`)
  })
}

function testViews(installed: string): void {
  test.serial('orders are taken while the views are made anew, and nothing wrong is read meanwhile', async (t) => {
    t.timeout(10 * minutes)
    const { orderId } = await order(release, requestBody('tok_visa'))
    taken++
    const load = await Load.start(release, { name: 'meanwhile', image: installed, clients: 8, pauseMs: 20 })
    await load.goesOn()
    await release.kill('view')
    await load.goesOn()
    const atFirst = await load.taken()
    const wrong: number[] = []
    await until(async () => {
      const answer = await fetch(`${release.url}/orders/${orderId}`)
      if (![200, 503].includes(answer.status)) wrong.push(answer.status)
      return answer.ok && ((await answer.json()) as OrderView).status === 'COMPLETED'
    })
    t.log(`${(await load.taken()) - atFirst} orders taken before the first read was answered`)
    t.deepEqual(wrong, [])
    noted(t, await load.stop())
    await release.untilRolledOut()
    await allCompleted(t)
    await noneRestarted(t)
  })
}

function testRollouts(installed: string, next: string): void {
  test.serial('an upgrade and the way back behind many orders reset no connection', async (t) => {
    t.timeout(15 * minutes)
    const load = await Load.start(release, { name: 'rollouts', image: installed, clients: 8, pauseMs: 100 })
    await load.goesOn()
    await release.deploy('upgrade', next, chart, ...small)
    await load.goesOn()
    await release.helm('rollback', '--wait', '--timeout', '5m')
    await load.goesOn()
    const { failures } = noted(t, await load.stop())
    t.deepEqual(failures, {})
    await release.untilRolledOut()
    await noneRestarted(t)
    await allCompleted(t)
  })
}
