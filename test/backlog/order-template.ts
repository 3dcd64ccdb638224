import type { Codec } from '../../src/contract/index.ts'
import { type Headers, placeName, type StoredRecord } from '../../src/log/index.ts'
import { viewTopics } from '../helpers/shop-parts.ts'
import { header, parsePositions } from '../../src/task/headers.ts'
import { type RunningShop, startShop } from '../helpers/running-shop.ts'
import { whenEnded } from '../../src/shop/order/index.ts'

/** One batch that an order gives to a journal: what caused it has come before. */
export type Stage = {
  readonly topic: string
  /** The positions that the batch names, as `order-events/0` and `from:saga-events/0@order-commands/0`. */
  readonly covers: readonly string[]
  readonly records: readonly TemplateRecord[]
}

export type TemplateRecord = {
  readonly value: Buffer
  /** Those that tell of the batch left out. */
  readonly headers: Headers
}

/** An order of a real shop from its first event to its last; `names` are what no other order has in its records. */
export type OrderTemplate = { readonly names: readonly string[]; readonly stages: readonly Stage[] }

/** What stands in the journals before the first order: `key`, as markers have none and stock has SKUs. */
export type Opening = { readonly topic: string; readonly key: string } & TemplateRecord

export type Templates = {
  readonly opening: readonly Opening[]
  readonly completed: OrderTemplate
  readonly rejected: OrderTemplate
}

/** As long as those of the orders that are made of it. */
export const templateCustomer = 'customer-0000000'

/** Runs a shop with one order that completes and one whose payment is declined; values as this codec writes them. */
export const takeTemplates = async (codec: Codec): Promise<Templates> => {
  const shop = await startShop('orchestration')
  try {
    const opening = await journalsOf(shop)
    const completed = await orderOf(shop, 'tok_visa')
    const rejected = await orderOf(shop, 'tok_declined')
    const translated = (value: Uint8Array): Buffer => Buffer.from(translate(shop.codec, codec, value))
    return {
      opening: opening.map(({ topic, record }) => ({
        topic,
        key: record.key,
        value: translated(record.value!),
        headers: plain(record.headers)
      })),
      completed: templateOf(shop.codec, completed, translated),
      rejected: templateOf(shop.codec, rejected, translated)
    }
  } finally {
    await shop.stop()
  }
}

type Found = { readonly topic: string; readonly record: StoredRecord }

const journalsOf = async ({ log }: RunningShop, from: ReadonlyMap<string, number> = new Map()): Promise<Found[]> => {
  const found: Found[] = []
  for (const topic of Object.values(viewTopics)) {
    const place = { topic, partition: 0 }
    for await (const records of log.read(place, from.get(topic) ?? 0, await log.end(place)))
      for (const record of records) found.push({ topic, record })
  }
  return found
}

/** The records of one order, when it has ended and nobody has anything more to say. */
const orderOf = async (shop: RunningShop, paymentToken: string): Promise<readonly Found[]> => {
  const from = new Map<string, number>()
  for (const topic of Object.values(viewTopics)) from.set(topic, await shop.log.end({ topic, partition: 0 }))
  const shippingAddress = { name: 'Ada', street: '1 High Street', city: 'London', postalCode: 'N1', country: 'GB' }
  const payload = {
    ...{ customerId: templateCustomer, lines: [{ sku: 'book', quantity: 1 }] },
    ...{ paymentToken, shippingAddress }
  }
  const placed = await shop.http.inject({ method: 'POST', url: '/orders', payload })
  const { orderId } = placed.json<{ orderId: string }>()
  await whenEnded(shop.view, 'orchestration', orderId, 10_000).done
  return journalsOf(shop, from)
}

const templateOf = (
  codec: Codec,
  found: readonly Found[],
  translated: (value: Uint8Array) => Buffer
): OrderTemplate => {
  const names = new Set<string>()
  for (const { record } of found) {
    names.add(record.key)
    const { value } = codec.decode(record.value!)
    for (const name of [value['paymentId'], value['trackingNumber']]) if (typeof name === 'string') names.add(name)
    // The command of the client has an id that is random; all others have the order's in theirs.
    const causationId = record.headers[header.causationId] ?? ''
    if (/^[0-9a-f]{32}$/.test(causationId)) names.add(causationId)
  }
  return { names: [...names, templateCustomer], stages: stagesOf(found, translated) }
}

/** Batch by batch in an order in which no effect comes before its cause. */
const stagesOf = (found: readonly Found[], translated: (value: Uint8Array) => Buffer): Stage[] => {
  const waiting = batchesOf(found)
  const next = new Map(
    waiting.map(([first]) => [first!.topic, first!.record.offset]).toReversed() as [string, number][]
  )
  const mayGo = ([first]: readonly Found[]): boolean =>
    first!.record.offset === next.get(first!.topic) &&
    Object.entries(parsePositions(first!.record.headers)).every(
      ([name, offset]) => (next.get(topicOf(name)) ?? offset) >= offset
    )
  const stages: Stage[] = []
  while (waiting.length > 0) {
    const index = waiting.findIndex(mayGo)
    const [batch] = waiting.splice(index, 1) as readonly (readonly Found[])[]
    const { topic, record } = batch![0]!
    next.set(topic, record.offset + batch!.length)
    stages.push({
      topic,
      covers: Object.keys(parsePositions(record.headers)),
      records: batch!.map((one) => ({ value: translated(one.record.value!), headers: plain(one.record.headers) }))
    })
  }
  return stages
}

const batchesOf = (found: readonly Found[]): Found[][] => {
  const batches: Found[][] = []
  for (const one of found) {
    const isFirst = one.record.headers[header.positions] !== undefined || batches.at(-1)?.[0]?.topic !== one.topic
    if (isFirst) batches.push([one])
    else batches.at(-1)!.push(one)
  }
  return batches
}

/** The topic that a position is of: of `from:saga-events/0@order-commands/0`, `saga-events`. */
export const topicOf = (position: string): string => position.replace(/^from:/, '').replace(/\/.*$/, '')

const plain = ({ [header.positions]: _, [header.forwarded]: __, ...others }: Headers): Headers => others

/** The same value under the ids that another registry gave; what a saga keeps of others is a value in its own right. */
const translate = (from: Codec, to: Codec, bytes: Uint8Array): Uint8Array => {
  const { fullName, value } = from.decode(bytes)
  const members = Object.entries(value).map(([name, member]) => [
    name,
    member instanceof Uint8Array && member.length > 0 ? translate(from, to, member) : member
  ])
  return to.encode(fullName, Object.fromEntries(members) as object)
}

/** The same position of other partitions. */
export const positionIn = (position: string, partitionOfTopic: (topic: string) => number): string =>
  position.replace(/([A-Za-z0-9._-]+)\/\d+/g, (_, topic: string) =>
    placeName({ topic, partition: partitionOfTopic(topic) })
  )
