import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { registerContracts } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { header } from '../../src/task/index.ts'
import { topicsOf } from '../e2e/journals.ts'
import { schemasIn } from '../e2e/shop-process.ts'
import { type Case, judge } from './judge.ts'
import { writeJournals } from './journals.ts'

/** The journals of so many orders, which have ended. */
const caseOf = async (t: ExecutionContext, orders: number): Promise<Case & { readonly ids: readonly string[] }> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-judged-'))
  const registry = await openEmbeddedRegistry(join(folder, 'registry'))
  const codec = await registerContracts(registry, (await readContractFiles('sagas', theShop)).all, ownRecords)
  await registry.close()
  const log = await openEmbeddedLog({ dir: join(folder, 'log') })
  t.teardown(async () => {
    await log.close()
    await rm(folder, { recursive: true })
  })
  await log.ensureTopics(topicsOf(1))
  const { orderId } = await writeJournals(log, codec, { orders })
  const ids = Array.from({ length: orders }, (_, order) => orderId(order))
  return { log, sent: { run: ids[0]!.slice(0, 4), orders }, acknowledged: [], schemas: () => schemasIn(folder), ids }
}

/** What the order service might have written without the others. */
const append = async ({ log }: Case, type: string, orderId: string, value: Uint8Array | null = null): Promise<void> => {
  const writer = await log.claim({ topic: 'order-events', partition: 0 })
  await writer.append([{ key: orderId, value, timestamp: 0, headers: { [header.type]: type } }])
}

test('orders that have all ended are accounted for', async (t) => {
  const one = await caseOf(t, 40)
  t.deepEqual(await judge({ ...one, acknowledged: one.ids.slice(0, 3) }), { placed: 40, ended: 40, wrong: [] })
})

test('what was sent or promised and is not there is found', async (t) => {
  const one = await caseOf(t, 10)
  const { wrong } = await judge({ ...one, sent: { ...one.sent!, orders: 12 }, acknowledged: ['promised'] })
  t.deepEqual(wrong, ['12 orders were sent, and 10 were placed', '1 orders were promised and are not there: promised'])
})

test('an order without an end, and one that was placed twice, are found', async (t) => {
  const one = await caseOf(t, 10)
  const lonely = `${one.sent!.run}-lonely`
  await append(one, 'OrderPlaced', lonely)
  await append(one, 'OrderPlaced', one.ids[3]!)
  const { ended, wrong } = await judge({ ...one, sent: { ...one.sent!, orders: 11 } })
  t.is(ended, 10)
  t.deepEqual(wrong, [
    `1 orders have not ended: ${lonely}`,
    `1 orders were placed twice: ${one.ids[3]}`,
    `1 orders have a saga that has not ended: ${lonely}`
  ])
})
