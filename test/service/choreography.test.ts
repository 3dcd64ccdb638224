import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { type Contract, makeCodec, readContract } from '../../src/contract/index.ts'
import { catalogue, inventoryComponent } from '../../src/service/inventory/index.ts'
import { orderComponent } from '../../src/service/order/index.ts'
import { paymentComponent } from '../../src/service/payment/index.ts'
import { shippingComponent } from '../../src/service/shipping/index.ts'
import type { Component, Event, Flow } from '../../src/task/index.ts'
import { holds, Stage } from './stage.ts'

const folder = new URL('../../sagas/participants/', import.meta.url)
const contractOf = (name: string): Contract =>
  readContract({ path: `${name}.yaml`, text: readFileSync(new URL(`${name}.yaml`, folder), 'utf8') })

const names = ['order', 'inventory', 'payment', 'shipping'] as const
const contracts = new Map(names.map((name) => [name, contractOf(name)]))
const schemas = [...contracts.values()].flatMap(({ records }) => [...records.values()])
const codec = makeCodec(schemas.map(({ fullName, schema }, id) => ({ fullName, schema, id })))

const components = (flow: Flow): Record<(typeof names)[number], Component<unknown>> => ({
  order: orderComponent(flow) as Component<unknown>,
  inventory: inventoryComponent(flow) as Component<unknown>,
  payment: paymentComponent(flow) as Component<unknown>,
  shipping: shippingComponent(flow) as Component<unknown>
})

for (const flow of ['orchestration', 'choreography'] as const) {
  for (const name of names) {
    test(`${name} keeps its contract in ${flow}: its topics, and each of its commands`, (t) => {
      const component = components(flow)[name]
      const { inbox, events, operations } = contracts.get(name)!
      t.deepEqual([component.name, component.inbox, component.journal], [name, inbox, events])
      const stage = new Stage(component)
      for (const command of operations.keys())
        t.true(stage.isFor(command, { orderId: 'o1', sku: 'book', lines: [] }, inbox), command)
      t.false(stage.isFor('OrderPlaced', { orderId: 'o1', sku: 'book', lines: [] }, inbox))
    })
  }
}

test('in choreography each service hears the journals that it needs, and no other', (t) => {
  const { order, inventory, payment, shipping } = components('choreography')
  const heard = ({ reads }: { readonly reads: readonly { readonly topic: string }[] }) =>
    reads.map(({ topic }) => topic).sort()
  t.deepEqual(heard(order), ['payment-events', 'shipping-events', 'stock-events'])
  t.deepEqual(heard(inventory), ['order-events', 'shipping-events'])
  t.deepEqual(heard(payment), ['order-events', 'stock-events'])
  t.deepEqual(heard(shipping), ['order-events', 'payment-events'])
})

/** What becomes of an order, by its token and SKU, when nobody cancels it: [order, reservation, payment, shipment]. */
const fates: Record<string, readonly (string | undefined)[]> = {
  'tok_visa book': ['COMPLETED', 'dispatched', 'captured', 'shipped'],
  'tok_slow book': ['COMPLETED', 'dispatched', 'captured', 'shipped'],
  'tok_flaky lamp': ['COMPLETED', 'dispatched', 'captured', 'shipped'],
  // Nobody gives the stock back: the reason for the saga.
  'tok_declined book': ['REJECTED', 'reserved', 'failed', 'expected'],
  'tok_silent book': ['PENDING', 'reserved', 'expected', 'expected'],
  'tok_visa unicorn': ['REJECTED', 'refused', 'expected', 'expected']
}

const anyOrder = fc.record({ fate: fc.constantFrom(...Object.keys(fates)), isCancelled: fc.boolean() })

test('in whatever order the services hear of each other, every order comes to its fate', (t) => {
  const steps = fc.array(fc.nat(), { minLength: 10, maxLength: 80, size: 'max' })
  const property = fc.property(fc.array(anyOrder, { minLength: 1, maxLength: 5 }), steps, (orders, choices) => {
    const shop = new Shop()
    for (const [i, { fate }] of orders.entries()) shop.place(`o${i}`, fate)
    for (const [at, choice] of choices.entries()) {
      shop.step(choice)
      const i = at % (3 * orders.length)
      if (orders[i]?.isCancelled === true) shop.cancel(`o${i}`)
    }
    shop.settle()
    for (const [i, { fate, isCancelled }] of orders.entries()) {
      const [order, ...others] = shop.fateOf(`o${i}`)
      if (isCancelled) assert.ok(order === 'CANCELLED' || order === fates[fate]![0], `${order}`)
      else assert.equal(order, fates[fate]![0])
      if (fate !== 'tok_silent book') assert.deepEqual(others.slice(0, 2), fates[fate]!.slice(1, 3))
      assert.deepEqual([others[0], others[2]], [fates[fate]![1], fates[fate]![3]])
    }
    assert.deepEqual(shop.capturedTwice(), [])
  })
  holds(t, property, 150)
})

/** The four services, each hearing of the others through their journals, in the wire format, at its own pace. */
class Shop {
  readonly #stages = new Map<string, Stage<unknown>>()
  readonly #links: { readonly from: string; readonly to: string; readonly topic: string; position: number }[] = []

  constructor() {
    const all = components('choreography')
    for (const name of names) this.#stages.set(name, new Stage(all[name]))
    for (const to of names)
      for (const { topic } of all[to].reads) {
        const from = names.find((name) => all[name].journal === topic)!
        this.#links.push({ from, to, topic, position: 0 })
      }
    for (const item of catalogue) this.#stages.get('inventory')!.tell('SetStock', item)
  }

  place(orderId: string, fate: string): void {
    const [paymentToken, sku] = fate.split(' ')
    this.#stages.get('order')!.tell('PlaceOrder', {
      orderId,
      customerId: 'ada',
      lines: [{ sku, quantity: 1, priceCents: 2000 }],
      totalCents: 2000,
      currency: 'EUR',
      paymentToken,
      shippingAddress: { name: 'Ada', street: 'Main 1', city: 'Turin', postalCode: '10100', country: 'IT' },
      voucher: null,
      requestHash: 'h'
    })
  }

  cancel(orderId: string): void {
    this.#stages.get('order')!.tell('CancelOrder', { orderId, reason: 'changed my mind' })
  }

  /** One service hears one event; false when all have heard all. */
  step(choice: number): boolean {
    const waiting = this.#links.filter((link) => link.position < this.#stages.get(link.from)!.journal.length)
    const link = waiting[choice % waiting.length]
    if (link === undefined) return false
    const event = this.#stages.get(link.from)!.journal[link.position]!
    const id = `${link.topic}/0/${link.position++}`
    this.#stages
      .get(link.to)!
      .tell(event.type, this.#throughWire(link.from, event), { topic: link.topic, id, key: event.key })
    return true
  }

  settle(): void {
    for (let round = 0; round < 3; round++) {
      while (this.step(round)) continue
      for (const stage of this.#stages.values()) stage.elapse(2000)
    }
  }

  fateOf(orderId: string): (string | undefined)[] {
    const status = (name: string, key: string) =>
      (this.#stages.get(name)!.entity(key) as { status: string } | undefined)?.status
    return [
      status('order', orderId),
      status('inventory', `order/${orderId}`),
      status('payment', orderId),
      status('shipping', orderId)
    ]
  }

  capturedTwice(): string[] {
    const captures = this.#stages.get('payment')!.journal.filter(({ type }) => type === 'PaymentSucceeded')
    const ids = captures.map(({ key }) => key)
    return ids.filter((id, i) => ids.indexOf(id) < i)
  }

  #throughWire(from: string, event: Event): Readonly<Record<string, unknown>> {
    const { namespace } = contracts.get(from as (typeof names)[number])!
    return codec.decode(codec.encode(`${namespace}.${event.type}`, event.value)).value
  }
}
