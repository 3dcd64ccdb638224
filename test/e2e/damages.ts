/** Damages to a data folder, each told by a number, and what a start makes of them. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { seededRandom } from '../../src/base/index.ts'
import { readMark, Mark } from '../../src/log/embedded/mark.ts'
import { readConfig } from '../../src/config/index.ts'
import { type Running, start } from '../../src/main/start.ts'
import { testIdSecret } from '../helpers/running-shop.ts'
import { get, getAll, type OrderView, post, requestBody, type StockView } from './shop-client.ts'

/** What was acknowledged before the damage; `lastOne`: the order that got the only one. */
export type Known = {
  readonly orders: ReadonlyMap<string, { readonly orderId: string; readonly status: string; readonly body: string }>
  readonly onHand: ReadonlyMap<string, number>
}

/** What came of it: `refused` has the code, `mended` was refused once and right at the next start. */
export type Outcome =
  | { readonly is: 'right' }
  | { readonly is: 'refused' | 'mended'; readonly code: string }
  | { readonly is: 'wrong'; readonly why: string }

type Damage = { readonly what: string; readonly apply: () => void }

/** Copies the folder and damages the copy; says what was done. */
export const damagedCopy = (base: string, copy: string, seed: number): string => {
  cpSync(base, copy, { recursive: true })
  ownMark(join(copy, 'log'))
  const { what, apply } = damageOf(copy, seededRandom(String(seed)))
  apply()
  return what
}

/** A copy of a killed folder stands for the folder itself, so it names itself in its mark. */
const ownMark = (dir: string): void => {
  const mark = readMark(dir)
  if (mark !== undefined && mark !== 'damaged' && mark.isLiveCopy) new Mark(dir, mark.position).close(false)
}

/** Weighted by file, not by length, so that small files get their share. */
const damageOf = (folder: string, random: () => number): Damage => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^lock|\.pid$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0)
    .toSorted()
  const path = files[Math.floor(random() * files.length)]!
  const [name, { size }, kind] = [relative(folder, path), statSync(path), random()]
  const at = Math.floor(random() * size)
  if (kind < 0.55) {
    const bit = 1 << Math.floor(random() * 8)
    return { what: `bit ${bit} of byte ${at} of ${name}`, apply: () => change(path, (bytes) => (bytes[at]! ^= bit)) }
  }
  if (kind < 0.75) return { what: `${name} cut to ${at} of ${size} bytes`, apply: () => truncateSync(path, at) }
  if (kind < 0.9)
    return {
      what: `512 zeros at ${at} of ${name}`,
      apply: () => change(path, (bytes) => bytes.fill(0, at, Math.min(size, at + 512)))
    }
  return { what: `${name} removed`, apply: () => rmSync(path) }
}

const change = (path: string, by: (bytes: Buffer) => unknown): void => {
  const bytes = readFileSync(path)
  by(bytes)
  writeFileSync(path, bytes)
}

/** Starts on the folder and asks for all that is known; once more where what was found ends the process. */
export const outcomeOn = async (folder: string, known: Known): Promise<Outcome> => {
  const first = await attempt(folder, known)
  if (first.is !== 'refused') return first
  const second = await attempt(folder, known)
  return second.is === 'right' ? { is: 'mended', code: first.code } : second
}

const attempt = async (folder: string, known: Known): Promise<Outcome> => {
  let running: Running
  const config = { ...readConfig({}), port: 0, dataFolder: folder, idSecret: testIdSecret, logLevel: 'error' as const }
  try {
    running = await start(config)
  } catch (error) {
    return refusal(error)
  }
  try {
    return await Promise.race([asked(running, known), running.failed.then(refusal)])
  } finally {
    await running.stop().catch(() => undefined)
  }
}

const refusal = (error: unknown): Outcome => {
  const { code } = error as { code?: unknown }
  const isSaid = typeof code === 'string' && code.startsWith('PARCOMOLO_') && !code.endsWith('_DEFECT')
  return isSaid ? { is: 'refused', code } : { is: 'wrong', why: String((error as Error).stack) }
}

const asked = async (shop: Running, { orders, onHand }: Known): Promise<Outcome> => {
  const wrong: string[] = []
  const expect = (what: string, found: unknown, expected: unknown): void => {
    if (found !== expected) wrong.push(`${what} is ${String(found)}; expected ${String(expected)}`)
  }
  for (const { orderId, status } of orders.values()) {
    const seen = await settled(() => get<OrderView>(shop, `/orders/${orderId}`))
    expect(`order ${orderId}`, seen.status, status)
  }
  const listed = await settled(() => getAll<OrderView>(shop, '/orders'))
  expect('the number of orders', listed.length, orders.size)
  for (const { sku, onHand: found } of await settled(() => getAll<StockView>(shop, '/stock')))
    expect(`stock of ${sku}`, found, onHand.get(sku))
  for (const [key, { orderId, body }] of orders) {
    const { body: again } = await settled(() => post(shop, '/orders', body, key))
    expect(`the same order again, ${key},`, again['orderId'], orderId)
  }
  for (const [sku, status] of [
    ['last-one', 'REJECTED'],
    ['book', 'COMPLETED']
  ] as const) {
    const { body } = await settled(() => post(shop, '/orders', requestBody('tok_visa', sku), `new ${sku}`))
    const ended = await settled(() => get<OrderView>(shop, `/orders/${String(body['orderId'])}?wait=20s`))
    expect(`a new order of ${sku}`, ended.status, status)
  }
  return wrong.length === 0 ? { is: 'right' } : { is: 'wrong', why: wrong.join('; ') }
}

/** What answers 503 is said, and asked again: the read model may be built anew meanwhile. */
const settled = async <T extends object>(ask: () => Promise<T>): Promise<T> => {
  for (;;) {
    const found = await ask()
    if ((found as { status?: unknown }).status !== 503) return found
    await new Promise((resolve) => void setTimeout(resolve, 50))
  }
}
