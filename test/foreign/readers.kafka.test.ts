import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { get, order, type OrderView, post, requestBody } from '../e2e/shop-client.ts'
import { ForeignShop, missing, type SagaView } from './foreign-shop.ts'

const python = process.env['FOREIGN_PYTHON']
const consoleConsumer = process.env['FOREIGN_CONSOLE_CONSUMER']
const run = promisify(execFile)

const journals = ['order-events', 'stock-events', 'payment-events', 'shipping-events', 'saga-events']
const topics = [...journals, 'payment-commands']

/** Where a record stands, as the read model and the tools tell it: `<topic>/<partition>/<offset>`. */
type Place = string
type Found = {
  readonly key: string
  readonly value: unknown
  /** As far as the tool tells it. */
  readonly record?: string
  readonly headers: string
}
type Reading = ReadonlyMap<Place, Found>

type Entry = { readonly type: string; readonly topic: string; readonly partition: number; readonly offset: number }
type Order = Omit<OrderView, 'timeline'> & { readonly timeline: readonly Entry[] }

/** An order of each kind, at its end, with the fields that some of its events must have. */
type Case = { readonly order: Order; readonly fields: Readonly<Record<string, object>> }

const placed = async ({ process: shop }: ForeignShop): Promise<Case[]> => {
  const slow = await post(shop, '/orders', requestBody('tok_slow'))
  const orderId = String(slow.body['orderId'])
  await post(shop, '/cancelOrder', JSON.stringify({ orderId, reason: 'too slow' }))
  const [paid, declined, none] = [
    await order(shop, requestBody('tok_visa', 'book', 2)),
    await order(shop, requestBody('tok_declined', 'lamp')),
    await order(shop, requestBody('tok_visa', 'unicorn'))
  ] as unknown as Order[]
  const cancelled = await get<Order>(shop, `/orders/${orderId}?wait=30s`)
  const lines = [{ sku: 'book', quantity: 2 }]
  return [
    {
      order: paid!,
      fields: {
        OrderPlaced: {
          customerId: 'ada',
          totalCents: 4000,
          currency: 'EUR',
          lines: [{ ...lines[0], priceCents: 2000 }]
        },
        StockReserved: { lines },
        PaymentSucceeded: { amountCents: 4000, currency: 'EUR' },
        OrderConfirmed: {},
        ShippingScheduled: {},
        ItemShipped: {},
        StockDispatched: { lines },
        OrderCompleted: {}
      }
    },
    { order: declined!, fields: { PaymentFailed: {}, StockReleased: {}, OrderRejected: { reason: 'PaymentFailed' } } },
    { order: none!, fields: { OutOfStock: { skus: ['unicorn'] } } },
    { order: cancelled, fields: { OrderCancelled: { reason: 'too slow' } } }
  ]
}

/** Every event that the read model tells of is at its place, and is what it is said to be. */
const holds = async (
  t: ExecutionContext,
  shop: ForeignShop,
  cases: readonly Case[],
  reading: Reading
): Promise<void> => {
  for (const { order: view, fields } of cases) {
    const { orderId, timeline } = view
    t.deepEqual(
      Object.keys(fields).filter((type) => !timeline.some((entry) => entry.type === type)),
      []
    )
    for (const entry of timeline) {
      const found = reading.get(placeOf(entry))
      t.like(found, { key: orderId, value: { orderId, ...fields[entry.type] } }, `${placeOf(entry)} ${entry.type}`)
      saysItsType(t, found!, entry.type)
    }
    const saga = await get<SagaView>(shop.process, `/sagas/order/${orderId}`)
    for (const entry of saga.timeline as unknown as Entry[]) {
      const found = reading.get(placeOf(entry))
      t.like(found, { key: orderId, value: { saga: 'order', key: orderId } }, `${placeOf(entry)} ${entry.type}`)
      saysItsType(t, found!, entry.type)
    }
  }
  const { orderId } = cases[0]!.order
  const command = [...reading].find(([place, { key }]) => place.startsWith('payment-commands/') && key === orderId)![1]
  t.like(command.value, { orderId, amountCents: 4000, currency: 'EUR', token: 'tok_visa' })
  for (const text of ['ce_specversion', `order/payment/${orderId}`, 'ProcessPayment'])
    t.true(command.headers.includes(text))
}

const saysItsType = (t: ExecutionContext, { record, headers }: Found, type: string): void => {
  t.regex(headers, new RegExp(`\\bce_type"?:"?${type}\\b`))
  if (record !== undefined) t.is(record, type)
}

const placeOf = ({ topic, partition, offset }: Omit<Entry, 'type'>): Place => `${topic}/${partition}/${offset}`

const withPython = async ({ prefix, variables }: ForeignShop): Promise<Reading> => {
  const names = topics.map((topic) => prefix + topic)
  const { stdout } = await run(python!, ['test/foreign/reader.py', ...names], {
    env: { ...process.env, ...variables },
    maxBuffer: 1 << 26
  })
  const lines = stdout.trimEnd().split('\n')
  return new Map(
    lines.map((line) => {
      const { topic, partition, offset, key, headers, record, value } = JSON.parse(line)
      const place = placeOf({ topic: topic.slice(prefix.length), partition, offset })
      return [place, { key, value, record, headers: JSON.stringify(headers) }]
    })
  )
}

/** It gives up when nothing has come for this long. */
const quietMs = 60_000

/** What Kafka's console consumer prints of one topic, with what it can be asked to print. */
const withConsole = async (shop: ForeignShop, topic: string): Promise<[Place, Found][]> => {
  const { prefix, variables } = shop
  const shown = ['partition', 'offset', 'headers', 'key'].flatMap((what) => [
    '--formatter-property',
    `print.${what}=true`
  ])
  const read = ['--from-beginning', '--max-messages', `${await shop.count(topic)}`, '--timeout-ms', `${quietMs}`]
  const [program, ...words] = consoleConsumer!.split(' ')
  const { stdout } = await run(program!, [...words, '--topic', prefix + topic, ...shown, ...read], {
    env: { ...process.env, ...variables },
    maxBuffer: 1 << 26
  })
  const line = /Partition:(\d+)\tOffset:(\d+)\t([^\t\n]*)\t([^\t\n]*)\t(\{[^\n]*)\n/g
  return [...stdout.matchAll(line)].map(([, partition, offset, headers, key, value]) => [
    placeOf({ topic, partition: Number(partition), offset: Number(offset) }),
    { key: key!, headers: headers!, value: JSON.parse(value!) as unknown }
  ])
}

const title = 'every topic with the registry, and finds the events that the read model tells of'
const skipped = (tool: string, reason: string | undefined): boolean => {
  if (reason !== undefined) test.skip(`${tool}: ${reason}`, () => undefined)
  return reason !== undefined
}

if (!skipped('a reader in Python', missing ?? (python === undefined ? 'FOREIGN_PYTHON names no Python' : undefined))) {
  test(`a reader in Python reads ${title}`, async (t) => {
    t.timeout(120_000)
    const shop = await ForeignShop.start(t)
    const cases = await placed(shop)
    await holds(t, shop, cases, await withPython(shop))
  })
}

const noConsole = consoleConsumer === undefined ? 'FOREIGN_CONSOLE_CONSUMER names no command' : undefined
if (!skipped("Kafka's console consumer", missing ?? noConsole)) {
  test(`Kafka's console consumer reads ${title}`, async (t) => {
    t.timeout(180_000)
    const shop = await ForeignShop.start(t)
    const cases = await placed(shop)
    const read = await Promise.all(topics.map((topic) => withConsole(shop, topic)))
    await holds(t, shop, cases, new Map(read.flat()))
  })
}
