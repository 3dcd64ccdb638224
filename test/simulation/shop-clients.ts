import type { VirtualTime } from '../helpers/virtual-time.ts'
import type { Running, ShopNode } from './shop-node.ts'
import { orders } from '../helpers/shop-parts.ts'
import { whenPlaced } from '../../src/shop/order/index.ts'

const tokens = ['tok_visa', 'tok_visa', 'tok_visa', 'tok_declined', 'tok_slow', 'tok_silent', 'tok_flaky']
const prices: Readonly<Record<string, number>> = { book: 2000, lamp: 4500, unicorn: 99_900, 'last-one': 1500 }
const address = { name: 'A', street: 'B', city: 'C', postalCode: 'D', country: 'NL' }

/** Who thinks better of it this soon meets services that are still at work on the order. */
const soonMsMax = 40

/** A client asks again, perhaps elsewhere, when it has heard nothing for this long. */
const patienceMs = 1500

/** People who order, ask again when they get no answer, and sometimes cancel; and what they were told. */
export class ShopClients {
  readonly orders: string[] = []
  readonly cancellations: string[] = []
  readonly refusals: string[] = []
  #open = 0
  readonly #time: VirtualTime
  readonly #nodes: readonly ShopNode[]
  readonly #cancels: number

  /** `cancels`: how many of them think better of it. */
  constructor(time: VirtualTime, nodes: readonly ShopNode[], cancels = 0.3) {
    this.#cancels = cancels
    this.#time = time
    this.#nodes = nodes
  }

  /** True when everybody has had an answer. */
  get isDone(): boolean {
    return this.#open === 0
  }

  /** Plans this many orders within this time. */
  plan(count: number, withinMs: number): void {
    for (let i = 0; i < count; i++) {
      const { random } = this.#time
      this.#open++
      this.#time.after(random() * withinMs, () => void this.#shop(`order-${i}`).finally(() => this.#open--))
    }
  }

  async #shop(orderId: string): Promise<void> {
    const value = this.#order(orderId)
    await this.#insist(orderId, (node, id) => placed(node, value, id))
    this.orders.push(orderId)
    if (!this.#time.chance(this.#cancels)) return
    await this.#pause(this.#time.between(0, this.#time.chance(0.5) ? soonMsMax : 4000))
    const answer = await this.#cancel(orderId)
    if (answer === 'OrderCancelled') this.cancellations.push(orderId)
    else this.refusals.push(orderId)
    if (this.#time.chance(0.3)) await this.#cancel(orderId)
  }

  #cancel(orderId: string): Promise<string> {
    return this.#insist(orderId, (node, id) => cancelled(node, orderId, id))
  }

  /** Asks until there is an answer. */
  async #insist<T>(orderId: string, ask: (node: Running, id: string) => Promise<T | undefined>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const node = this.#time.pick(this.#nodes).running
      const patience = this.#pause(patienceMs)
      const answer = node && ask(node, `${orderId}-${attempt}-${this.#time.eventCount}`).catch(() => undefined)
      const result = await Promise.race([answer, patience])
      if (result !== undefined) return result
      await patience
    }
  }

  #pause(ms: number): Promise<undefined> {
    return new Promise((resolve) => void this.#time.after(ms, () => resolve(undefined)))
  }

  #order(orderId: string): object {
    const skus = ['book', 'book', 'lamp', this.#time.pick(['lamp', 'last-one', 'unicorn'])]
    const sku = this.#time.pick(skus)
    const lines = [{ sku, quantity: 1 + Math.floor(this.#time.random() * 2), priceCents: prices[sku]! }]
    if (this.#time.chance(0.3)) lines.push({ sku: 'lamp', quantity: 1, priceCents: prices['lamp']! })
    const totalCents = lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0)
    const paymentToken = this.#time.pick(tokens)
    const rest = { shippingAddress: address, voucher: null, requestHash: orderId }
    return { orderId, customerId: 'c', lines, totalCents, currency: 'EUR', paymentToken, ...rest }
  }
}

/** As `POST /orders` does it. */
const placed = async ({ view, send }: Running, value: object, id: string): Promise<true | undefined> => {
  const { orderId } = value as { orderId: string }
  if ((await view.row(orders, orderId)) !== undefined) return true
  const waiter = whenPlaced(view, 'orchestration', orderId, patienceMs)
  await send({ inbox: 'order-commands', key: orderId, type: 'parcomolo.order.PlaceOrder', value, id })
  return (await waiter.done) === undefined ? undefined : true
}

/** As `POST /cancelOrder` does it. */
const cancelled = async ({ view, send }: Running, orderId: string, id: string): Promise<string | undefined> => {
  const waiter = view.whenAnswered(id, patienceMs)
  const value = { orderId, reason: 'changed my mind' }
  await send({ inbox: 'order-commands', key: orderId, type: 'parcomolo.order.CancelOrder', value, id })
  return (await waiter.done)?.type
}
