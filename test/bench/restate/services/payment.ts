import { object, type ObjectContext } from '@restatedev/restate-sdk'

export type Charge = { readonly amountCents: number; readonly currency: string; readonly token: string }
export type Payment =
  | { readonly status: 'captured'; readonly paymentId: string; readonly amountCents: number }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'refunded'; readonly amountCents: number }

type State = { payment: Payment }

/** The payment of an order, an object for each. The bank is simulated, as in the shop, so asking it has no effect. */
export const payment = object({
  name: 'payment',
  handlers: {
    process: async (context: ObjectContext<State>, charge: Charge): Promise<Payment> => {
      const known = await context.get('payment')
      if (known !== null) return known
      const outcome = ask(context.key, charge)
      context.set('payment', outcome)
      return outcome
    },

    refund: async (context: ObjectContext<State>): Promise<number> => {
      const known = await context.get('payment')
      const amountCents = known === null || known.status === 'failed' ? 0 : known.amountCents
      context.set('payment', { status: 'refunded', amountCents })
      return amountCents
    }
  }
})

const ask = (orderId: string, { token, amountCents }: Charge): Payment =>
  token === 'tok_visa'
    ? { status: 'captured', paymentId: `pay_${orderId}`, amountCents }
    : { status: 'failed', reason: 'declined' }
