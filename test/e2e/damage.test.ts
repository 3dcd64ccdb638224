/**
 * Data folders with one damage each, of a shop that was stopped and of one that was killed: a start that is not refused
 * has all that was acknowledged, and sells nothing twice.
 */
import { cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import { startShop } from '../helpers/running-shop.ts'
import { damagedCopy, type Known, outcomeOn } from './damages.ts'
import { requestBody } from './shop-client.ts'

/** How many folders, beginning with which seed; the long form: DAMAGES=250. */
const count = Number(process.env['DAMAGES'] ?? 16)
const firstSeed = Number(process.env['SEED'] ?? 1)

const orderCount = 40
const tokens = ['tok_visa', 'tok_visa', 'tok_declined']

const folderOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-damage-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Folders with snapshots, an archive, and orders behind them; what is in them is at rest. */
const bases = async (t: ExecutionContext): Promise<{ stopped: string; killed: string; known: Known }> => {
  const [folder, killed] = [await folderOf(t), await folderOf(t)]
  const shop = await startShop('orchestration', {}, { inputsPerSnapshot: 20 }, folder)
  const orders = new Map<string, { orderId: string; status: string; body: string }>()
  const place = async (key: string, body: string): Promise<void> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    const placed = await shop.http.inject({ method: 'POST', url: '/orders', headers, payload: body })
    const { orderId } = placed.json<{ orderId: string }>()
    const seen = await shop.http.inject({ url: `/orders/${orderId}?wait=20s` })
    orders.set(key, { orderId, body, status: seen.json<{ status: string }>().status })
  }
  await place('last-one', requestBody('tok_visa', 'last-one'))
  for (let i = 0; i < orderCount; i++) await place(`order ${i}`, requestBody(tokens[i % tokens.length]!))
  const { items } = (await shop.http.inject({ url: '/stock?limit=100' })).json<{
    items: { sku: string; onHand: number }[]
  }>()
  cpSync(folder, killed, { recursive: true })
  await shop.stop()
  return { stopped: folder, killed, known: { orders, onHand: new Map(items.map(({ sku, onHand }) => [sku, onHand])) } }
}

/** So that its pages and indexes are right all the same. */
const spoilRow = (path: string): void => {
  const view = new DatabaseSync(path)
  const { changes } = view.prepare("UPDATE orders SET body = replace(body, 'EUR', 'EUX')").run()
  view.close()
  if (changes === 0) throw new Error('no row to spoil')
}

test('whatever of a data folder is damaged, all that was acknowledged is there, or the start says no', async (t) => {
  t.timeout(60_000 + count * 15_000)
  const { stopped, killed, known } = await bases(t)
  t.is(known.orders.get('last-one')!.status, 'COMPLETED')
  const outcomes = new Map<string, number>()
  for (const base of [stopped, killed]) {
    const copy = join(await folderOf(t), 'data')
    cpSync(base, copy, { recursive: true })
    t.deepEqual(await outcomeOn(copy, known), { is: 'right' }, 'without any damage')
  }
  const byHand = join(await folderOf(t), 'data')
  cpSync(stopped, byHand, { recursive: true })
  spoilRow(join(byHand, 'view.sqlite'))
  t.deepEqual(await outcomeOn(byHand, known), { is: 'right' }, 'a row of the read model that is met while it runs')
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const copy = join(await folderOf(t), 'data')
    const what = damagedCopy(seed % 2 === 0 ? stopped : killed, copy, seed)
    const outcome = await outcomeOn(copy, known)
    if (outcome.is === 'wrong') t.fail(`seed ${seed}, ${what}: ${outcome.why}`)
    const name = 'code' in outcome ? `${outcome.is} ${outcome.code}` : outcome.is
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
    if (count > 16) console.error(`${seed}: ${what}: ${name}`)
    await rm(copy, { recursive: true, force: true })
  }
  t.log(Object.fromEntries(outcomes))
})
