// Places an order and waits until it is completed; run by `helm test`.
const request = {
  customerId: 'helm-test',
  lines: [{ sku: 'book', quantity: 1 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
}

const { orderId } = await asked('/orders', {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'idempotency-key': `helm-test-${process.env.HOSTNAME}-${Date.now()}` },
  body: JSON.stringify(request)
})
console.log(`order ${orderId} is placed`)
let order
do order = await asked(`/orders/${orderId}?wait=10s`)
while (['PENDING', 'CONFIRMED'].includes(order.status) && Date.now() < end)
for (const { at, type } of order.timeline) console.log(`  ${at} ${type}`)
console.log(`order ${orderId} is ${order.status}`)
process.exit(order.status === 'COMPLETED' ? 0 : 1)
