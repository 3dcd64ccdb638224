import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { get, order, type OrderView, post, requestBody, type Shop } from './shop-client.ts'

/** Of an order: its own status, and those of stock, payment, shipping and saga. */
export const outcome = ({ status, stock, payment, shipping, saga }: OrderView): string =>
  [status, stock.status, payment.status, shipping.status, saga?.status ?? '-'].join(' ')

/** The id of an order whose bank takes its time. */
export const atBank = async (shop: Shop): Promise<string> => {
  const { body } = await post(shop, '/orders', requestBody('tok_slow'))
  const orderId = String(body['orderId'])
  const isAtBank = async (): Promise<boolean> =>
    (await get<OrderView>(shop, `/orders/${orderId}`)).timeline.some(({ type }) => type === 'PaymentPending')
  while (!(await isAtBank())) await wait(20)
  return orderId
}

/** Orders that end in every way that the order saga has, in a shop where nobody has ordered yet. */
export const seeEveryOutcome = async (t: ExecutionContext, shop: Shop): Promise<void> => {
  const silent = order(shop, requestBody('tok_silent'))
  const flaky = order(shop, requestBody('tok_flaky'))
  t.is(outcome(await order(shop, requestBody('tok_visa'))), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
  t.is(outcome(await order(shop, requestBody('tok_declined'))), 'REJECTED RELEASED FAILED PENDING compensated')
  t.is(
    outcome(await order(shop, requestBody('tok_visa', 'unicorn'))),
    'REJECTED OUT_OF_STOCK PENDING PENDING compensated'
  )

  const orderId = await atBank(shop)
  t.like(await post(shop, '/cancelOrder', JSON.stringify({ orderId })), { status: 200, body: { status: 'CANCELLED' } })
  const cancelled = await get<OrderView>(shop, `/orders/${orderId}?wait=30s`)
  t.regex(outcome(cancelled), /^CANCELLED RELEASED REFUNDED PENDING compensated$/)

  const paid = await order(shop, requestBody('tok_slow'))
  t.is(outcome(paid), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
  t.is((await post(shop, '/cancelOrder', JSON.stringify({ orderId: paid.orderId }))).status, 409)

  const buyers = Array.from({ length: 50 }, () => order(shop, requestBody('tok_visa', 'last-one')))
  const outcomes = (await Promise.all(buyers)).map(outcome).toSorted()
  t.deepEqual(outcomes, [
    'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed',
    ...Array.from({ length: 49 }, () => 'REJECTED OUT_OF_STOCK PENDING PENDING compensated')
  ])
  t.like(await get(shop, '/stock/last-one'), { onHand: 0, reserved: 0, available: 0 })

  t.is(outcome(await flaky), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
  t.is(outcome(await silent), 'REJECTED RELEASED REFUNDED PENDING compensated')
  // Two orders of one book each have completed with visa and slow, and the flaky one.
  t.like(await get(shop, '/stock/book'), { onHand: 1_000_000 - 3, reserved: 0 })
}
