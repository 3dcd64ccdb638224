import type { ViewRecord } from '../../src/view/record.ts'
import { extrasOf } from '../../src/view/saga-timeline.ts'
import { unshared } from '../../src/view/shapes.ts'

/** A record of a test: its offset and time count up from 0 and from 1000. */
export const recordMaker = (): ((source: string, type: string, value: ViewRecord['value']) => ViewRecord) => {
  const offsets = new Map<string, number>()
  let at = 1000
  return (source, type, value) => {
    const offset = offsets.get(source) ?? 0
    offsets.set(source, offset + 1)
    const namespace = source === 'stock' ? 'inventory' : source
    return {
      topic: `${source}-events`,
      partition: 0,
      offset,
      at: at++,
      key: '',
      type,
      fullName: `parcomolo.${namespace}.${type}`,
      value,
      causationId: undefined,
      shape: unshared.of(`${source}-events`, type, source === 'saga' ? extrasOf(type, value) : {})
    }
  }
}

export const placedValue = {
  orderId: 'o1',
  customerId: 'c1',
  lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }],
  totalCents: 4000,
  currency: 'EUR',
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '1 High Street', city: 'London', postalCode: 'N1', country: 'GB' },
  voucher: null,
  requestHash: 'hash'
}
