import { object, type ObjectContext, TerminalError } from '@restatedev/restate-sdk'
import type { OrderRequest } from '../../target.ts'
import type { inventory } from './inventory.ts'
import type { payment } from './payment.ts'
import type { shipping } from './shipping.ts'

type Status = 'PENDING' | 'CONFIRMED' | 'COMPLETED' | 'REJECTED'
type State = { order: OrderRequest; status: Status }

type Undo = () => PromiseLike<unknown>

/**
 * The order and its saga, an object for each order: the undo list that Restate's guide to sagas shows. The status is
 * the object's own state, which goes to the log with the next call and is no call of its own.
 */
export const order = object({
  name: 'order',
  handlers: {
    /** The shop's saga: reserve, pay, confirm, ship, then dispatch and complete. */
    placeOrder: async (context: ObjectContext<State>, request: OrderRequest): Promise<Status> =>
      place(context, request, async (undos) => {
        await reserveAndPay(context, request, undos)
        context.set('status', 'CONFIRMED')
        await ship(context, request)
        await Promise.all(request.lines.map(({ sku, quantity }) => stock(context, sku).dispatch(quantity)))
      }),

    /** Reserve, pay, ship. */
    placeSeed: async (context: ObjectContext<State>, request: OrderRequest): Promise<Status> =>
      place(context, request, async (undos) => {
        await reserveAndPay(context, request, undos)
        await ship(context, request)
      })
  }
})

/** An order that is there already is answered with what has become of it. */
const place = async (
  context: ObjectContext<State>,
  request: OrderRequest,
  steps: (undos: Undo[]) => Promise<void>
): Promise<Status> => {
  const known = await context.get('status')
  if (known !== null) return known
  context.set('order', request)
  context.set('status', 'PENDING')
  const undos: Undo[] = []
  try {
    await steps(undos)
  } catch (error) {
    // Anything else is a crash, and Restate runs the handler again.
    if (!(error instanceof TerminalError)) throw error
    for (const undo of undos.toReversed()) await undo()
    context.set('status', 'REJECTED')
    return 'REJECTED'
  }
  context.set('status', 'COMPLETED')
  return 'COMPLETED'
}

const reserveAndPay = async (
  context: ObjectContext<State>,
  { lines, paymentToken: token }: OrderRequest,
  undos: Undo[]
): Promise<void> => {
  for (const { sku, quantity } of lines) {
    if (!(await stock(context, sku).reserve(quantity))) throw new TerminalError(`OutOfStock: ${sku}`)
    undos.push(() => stock(context, sku).release(quantity))
  }
  const amountCents = lines.reduce((total, { quantity }) => total + quantity * priceCents, 0)
  const bank = context.objectClient<typeof payment>({ name: 'payment' }, context.key)
  const paid = await bank.process({ amountCents, currency: 'EUR', token })
  if (paid.status !== 'captured') throw new TerminalError('PaymentFailed')
  undos.push(() => bank.refund())
}

const ship = async (
  context: ObjectContext<State>,
  { lines, shippingAddress: address }: OrderRequest
): Promise<void> => {
  await context.objectClient<typeof shipping>({ name: 'shipping' }, context.key).schedule({ lines, address })
}

const stock = (context: ObjectContext<State>, sku: string) =>
  context.objectClient<typeof inventory>({ name: 'inventory' }, sku)

const priceCents = 2000
