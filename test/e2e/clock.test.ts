/** What a process does when the wall clock of its machine is moved. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { get, type OrderView, post, requestBody } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

const hourMs = 3_600_000

/** A shop on a machine whose clock is moved. */
const onMovedClock = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-clock-'))
  const file = join(folder, 'offset')
  await writeFile(file, '0')
  const shop = new ShopProcess(join(folder, 'data'), {
    ...{ MOVED_CLOCK: file, LOG_LEVEL: 'warn' },
    NODE_OPTIONS: `--import ${new URL('moved-clock.mjs', import.meta.url).href}`
  })
  t.teardown(async () => {
    await shop.end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const move = async (ms: number): Promise<void> => {
    await writeFile(file, String(ms))
    if (shop.isRunning) shop.signal('SIGUSR2')
  }
  const place = async (token: string): Promise<string> => {
    const { body } = await post(shop, '/orders', requestBody(token))
    return String(body['orderId'])
  }
  const ended = async (id: string): Promise<string> => (await get<OrderView>(shop, `/orders/${id}?wait=20s`)).status
  return { shop, move, place, ended }
}

test('orders go on when the clock is set back by hours, and right again, and each is told once', async (t) => {
  const { shop, move, place, ended } = await onMovedClock(t)
  await shop.start()
  const before = await place('tok_slow')
  await move(-3 * hourMs)
  t.is(await ended(before), 'COMPLETED')
  await move(0)
  t.is(await ended(await place('tok_slow')), 'COMPLETED')
  const told = shop.errors.split('\n').filter((line) => line.includes('"jumpMs"'))
  t.deepEqual(
    told.map((line) => Math.round((JSON.parse(line) as { jumpMs: number }).jumpMs / hourMs)),
    [-3, 3]
  )
})

test('an order that waits goes on at a start with a clock that is set back by hours', async (t) => {
  const { shop, move, place, ended } = await onMovedClock(t)
  await shop.start()
  const id = await place('tok_slow')
  await shop.end('SIGTERM')
  await move(-3 * hourMs)
  await shop.start()
  t.is(await ended(id), 'COMPLETED')
  t.regex(shop.errors, /payment-events\/0 was written when it was 3 h later than the clock says/)
})
