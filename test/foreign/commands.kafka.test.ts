import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import test from 'ava'
import { partitionOf } from '../../src/base/index.ts'
import { post } from '../e2e/shop-client.ts'
import { ForeignShop, missing, partitions, type Stored } from './foreign-shop.ts'

const run = promisify(execFile)
const reason = missing ?? (spawnSync('kcat', ['-V']).error === undefined ? undefined : 'kcat is not on PATH')

const inbox = 'order-commands'
const orderIds = Array.from({ length: 12 }, (_, i) => `k-${i}`)
const lookMs = 50

/** A client of librdkafka's says CancelOrder of orders that there are not; `frame`: the bytes before an Avro value. */
const cancelAll = async (shop: ForeignShop, frame: Uint8Array, attempt: string, settings: string[]): Promise<void> => {
  const cancel = async (orderId: string): Promise<void> => {
    const file = join(shop.folder, `${attempt}-${orderId}`)
    const noReason = Buffer.of(0)
    await writeFile(file, Buffer.concat([frame, Buffer.of(2 * orderId.length), Buffer.from(orderId), noReason]))
    const { KAFKA_BROKERS, KAFKA_PREFIX } = shop.variables
    const to = ['-b', KAFKA_BROKERS, '-t', KAFKA_PREFIX + inbox, '-k', orderId, '-H', `ce_id=${attempt}/${orderId}`]
    await run('kcat', ['-P', ...to, ...settings, file])
  }
  await Promise.all(orderIds.map(cancel))
}

const isMisplaced = ({ key, partition }: Stored): boolean => partition !== partitionOf(key, partitions)

const idsOf = (commands: readonly Stored[]): string[] => commands.map(({ headers }) => headers['ce_id']!)

/** Which of kcat's commands have an answer, once these have. */
const answeredOf = async (shop: ForeignShop, ids: readonly string[]): Promise<ReadonlySet<string>> => {
  for (;;) {
    const causes = (await shop.records('order-events')).map(({ headers }) => headers['ce_causationid'] ?? '')
    const answered = new Set(causes.filter((id) => /^(first|second)\//.test(id)))
    if (ids.every((id) => answered.has(id))) return answered
    await wait(lookMs)
  }
}

if (reason !== undefined) test.skip(`commands of another client: ${reason}`, () => undefined)
else {
  test('commands of librdkafka need partitioner=murmur2_random, or become dead letters elsewhere', async (t) => {
    t.timeout(120_000)
    const shop = await ForeignShop.start(t)
    const orderId = await shop.order('grace', 'book', 1)
    await post(shop.process, '/cancelOrder', JSON.stringify({ orderId }))
    const own = await shop.records(inbox)
    t.deepEqual(own.filter(isMisplaced), [])
    const frame = own.find(({ headers }) => headers['ce_type'] === 'CancelOrder')!.value.subarray(0, 5)

    await cancelAll(shop, frame, 'first', [])
    const sent = (await shop.records(inbox)).filter(({ headers }) => headers['ce_id']!.startsWith('first/'))
    const { wrong = [], right = [] } = Object.groupBy(sent, (one) => (isMisplaced(one) ? 'wrong' : 'right'))
    t.true(wrong.length > 0 && right.length > 0, `${wrong.length} and ${right.length}`)
    while ((await shop.count('dead-letters')) < wrong.length) await wait(lookMs)

    await cancelAll(shop, frame, 'second', ['-X', 'partitioner=murmur2_random'])
    const second = orderIds.map((id) => `second/${id}`)
    t.deepEqual([...(await answeredOf(shop, second))].toSorted(), [...idsOf(right), ...second].toSorted())
    t.is(await shop.count('dead-letters'), wrong.length)
    t.log(`${wrong.length} of ${orderIds.length} stood in another partition than their key's by librdkafka's own`)
  })
}
