import { object, type ObjectContext } from '@restatedev/restate-sdk'

type State = { trackingNumber: string }

/** The shipment of an order, an object for each. The carrier takes it at once, as in the shop. */
export const shipping = object({
  name: 'shipping',
  handlers: {
    schedule: async (context: ObjectContext<State>, _shipment: Shipment): Promise<string> => {
      const trackingNumber = (await context.get('trackingNumber')) ?? `PM${context.key}`
      context.set('trackingNumber', trackingNumber)
      return trackingNumber
    }
  }
})

export type Shipment = {
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly address: Readonly<Record<'name' | 'street' | 'city' | 'postalCode' | 'country', string>>
}
