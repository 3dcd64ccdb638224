import type { About } from '../http/index.ts'
import type { Flow } from './flow.ts'

/** How the shop is introduced at `/` and in the OpenAPI document. */
export const aboutShop = (flow: Flow): About => ({
  title: 'A shop on declarative sagas',
  conventions: ['money is in whole cents'],
  facts: { flow },
  example: { text: `The shop runs in ${flow}. Place an order:`, shell: orderInShell }
})

const orderInShell = (host: string): string => `curl -i ${host}/orders -H 'Content-Type: application/json' -d '{
  "customerId": "customer-1",
  "lines": [{ "sku": "book", "quantity": 1 }],
  "paymentToken": "tok_visa",
  "shippingAddress": {
    "name": "Ada", "street": "1 High Street", "city": "London",
    "postalCode": "N1", "country": "GB"
  }
}'`

const order = {
  customerId: 'ada',
  lines: [{ sku: 'book', quantity: 2 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
}

/** What `parcomolo start` tells to try. */
export const firstSteps = (url: string): readonly string[] => [
  'Place an order:',
  `  curl -s ${url}/orders -H 'content-type: application/json' -d '${JSON.stringify(order)}'`,
  'See how it ended, with the orderId of the answer:',
  `  curl -s '${url}/orders/ORDER_ID?wait=10s'`
]
