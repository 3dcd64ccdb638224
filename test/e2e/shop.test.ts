import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { atBank, outcome, seeEveryOutcome } from './outcomes.ts'
import { get, getAll, order, type OrderView, post, requestBody, type StockView } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

const folderOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-shop-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const opened = async (t: ExecutionContext, variables: Record<string, string>): Promise<ShopProcess> => {
  const shop = new ShopProcess(await folderOf(t), variables)
  t.teardown(() => shop.end('SIGKILL'))
  await shop.start()
  return shop
}

const judge = async (t: ExecutionContext, shop: ShopProcess, flow: 'orchestration' | 'choreography'): Promise<void> => {
  const shown = { orders: await getAll<OrderView>(shop, '/orders'), stock: await getAll<StockView>(shop, '/stock') }
  await shop.end('SIGTERM')
  const [records, schemas] = [await shop.records(), await shop.schemas()]
  t.is(told(audit({ records, schemas, flow, isQuiet: true, now: Date.now(), shown })), '')
}

test('the shop does with each order what its saga says', async (t) => {
  const shop = await opened(t, {})
  await seeEveryOutcome(t, shop)
  await judge(t, shop, 'orchestration')
})

test('the same orders run as choreography, without an orchestrator', async (t) => {
  const shop = await opened(t, { FLOW: 'choreography' })
  t.is(outcome(await order(shop, requestBody('tok_visa'))), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED -')
  t.is(outcome(await order(shop, requestBody('tok_declined'))), 'REJECTED RESERVED FAILED PENDING -')
  t.is(outcome(await order(shop, requestBody('tok_visa', 'unicorn'))), 'REJECTED OUT_OF_STOCK PENDING PENDING -')
  t.is(outcome(await order(shop, requestBody('tok_flaky'))), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED -')
  const buyers = Array.from({ length: 50 }, () => order(shop, requestBody('tok_visa', 'last-one')))
  const sold = (await Promise.all(buyers)).filter(({ status }) => status === 'COMPLETED')
  t.is(sold.length, 1)
  // Nobody gives back what the declined order has reserved: that takes a saga.
  t.like(await get(shop, '/stock/book'), { onHand: 1_000_000 - 2, reserved: 1 })
  await judge(t, shop, 'choreography')
})

/** A saga that is cancelled before it has asked for something has nothing to give back. */
for (const [flow, saga, left] of [
  ['orchestration', 'compensated', '(RELEASED|PENDING) (REFUNDED|PENDING)'],
  ['choreography', '-', 'RELEASED REFUNDED']
] as const)
  test(`a cancelled order gives back goods and money and is not shipped, in ${flow}`, async (t) => {
    const shop = await opened(t, { FLOW: flow })
    const cancel = (orderId: string) => post(shop, '/cancelOrder', JSON.stringify({ orderId, reason: 'too late' }))

    const slow = await atBank(shop)
    for (const time of ['first', 'second'])
      t.like(await cancel(slow), { status: 200, body: { status: 'CANCELLED' } }, time)
    const end = await get<OrderView>(shop, `/orders/${slow}?wait=30s`)
    t.is(outcome(end), `CANCELLED RELEASED REFUNDED PENDING ${saga}`)
    t.like(await get(shop, '/stock/book'), { onHand: 1_000_000, reserved: 0, available: 1_000_000 })

    const paid = await order(shop, requestBody('tok_visa'))
    t.is((await cancel(paid.orderId)).status, 409)

    const raced = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const { body } = await post(shop, '/orders', requestBody(i % 2 === 0 ? 'tok_visa' : 'tok_slow'))
        const orderId = String(body['orderId'])
        const { status } = await cancel(orderId)
        return { status, end: await get<OrderView>(shop, `/orders/${orderId}?wait=30s`) }
      })
    )
    for (const { status, end } of raced)
      if (status === 409) t.regex(outcome(end), /^COMPLETED DISPATCHED SUCCEEDED SHIPPED/)
      else t.regex(outcome(end), new RegExp(`^CANCELLED ${left} PENDING ${saga}$`))
    const sold = 1 + raced.filter(({ status }) => status === 409).length
    t.log(`${raced.length + 1 - sold} of ${raced.length} cancels came in time`)
    t.like(await get(shop, '/stock/book'), { onHand: 1_000_000 - sold, reserved: 0 })
    for (const { timeline } of [end, paid, ...raced.map(({ end: view }) => view)]) {
      const times = timeline.map(({ at }) => at)
      t.deepEqual(times, times.toSorted())
    }
    await judge(t, shop, flow)
  })

test('a saved saga is followed by the next orders, and a broken one by none', async (t) => {
  const folder = await folderOf(t)
  await cp('sagas', folder, { recursive: true })
  const file = join(folder, 'order.yaml')
  const yaml = await readFile(file, 'utf8')
  const shop = await opened(t, { PARCOMOLO_SAGAS: folder })
  const revisionNow = async (): Promise<string> => (await order(shop, requestBody('tok_visa'))).saga!.revision
  const first = await revisionNow()
  const { body: running } = await post(shop, '/orders', requestBody('tok_slow'))

  const savedAt = performance.now()
  await writeFile(file, yaml.replace('deadline: 1h', 'deadline: 2h'))
  let placedAt = performance.now()
  while ((await revisionNow()) === first) {
    await wait(20)
    placedAt = performance.now()
  }
  const ms = placedAt - savedAt
  t.true(ms < 2000, `it took ${ms} ms`)
  t.log(`orders follow it ${ms.toFixed(0)} ms after it was saved`)
  const second = await revisionNow()

  await writeFile(file, yaml.replace('command: ReserveStock', 'command: ReserveStok'))
  while (!shop.errors.includes('is refused')) await wait(20)
  t.regex(shop.errors, /order\.yaml:\d+:\d+ [^\n]*'ReserveStok'; did you mean 'ReserveStock'\?/)
  t.is(await revisionNow(), second)

  const ended = await get<OrderView>(shop, `/orders/${String(running['orderId'])}?wait=30s`)
  t.is(ended.saga?.revision, first, 'what runs ends on its own revision')
  t.is(outcome(ended), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
})
