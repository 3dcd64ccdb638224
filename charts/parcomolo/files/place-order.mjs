// Places an order and waits until it is completed; run by `helm test`.
const url = process.env.SHOP_URL
const end = Date.now() + 90_000

const request = {
  customerId: 'helm-test',
  lines: [{ sku: 'book', quantity: 1 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
}

/** Tries again what fails for a moment: a service whose pods are just changing, a shelf that is not filled yet. */
const asked = async (path, options) => {
  for (;;) {
    const said = await fetch(url + path, options).then(
      async (answer) => ({ ok: answer.ok, status: answer.status, body: await answer.json() }),
      (error) => ({ ok: false, status: 0, body: String(error.cause ?? error) })
    )
    if (said.ok) return said.body
    console.log(`${path}: ${said.status} ${JSON.stringify(said.body)}`)
    if (Date.now() > end) process.exit(1)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
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
