// Places orders as the clients of a shop do, on connections that are kept, and says every second, and in the end, what
// became of its requests. Run in a pod of the cluster. SHOP_URL; CLIENTS, each with a connection of its own; NAME, before
// the keys of its orders; ORDERS, or 0 for as many as there are until SIGUSR2; PAUSE_MS between two orders of a client.
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

const { SHOP_URL, NAME } = process.env
const [clients, orders, pauseMs] = ['CLIENTS', 'ORDERS', 'PAUSE_MS'].map((name) => Number(process.env[name]))
const answerMsMax = 30_000
const retryMs = 100

let placed = 0
let taken = 0
let isStopped = false
/** Answers by status, and what went wrong with a connection by its code. */
const [statuses, failures] = [{}, {}]

const body = JSON.stringify({
  customerId: 'load',
  lines: [{ sku: 'book', quantity: 1 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
})

const count = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1)

const report = () => console.log(JSON.stringify({ taken, statuses, failures }))

/** Status, and the pause that the answer asks for. */
const post = (agent, key) =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    const asking = request(`${SHOP_URL}/orders`, { method: 'POST', agent, headers, timeout: answerMsMax }, (answer) => {
      answer.on('error', reject)
      answer.on('end', () => resolve([answer.statusCode, Number(answer.headers['retry-after'] ?? 0) * 1_000]))
      answer.resume()
    })
    asking.on('timeout', () => asking.destroy(Object.assign(new Error('no answer'), { code: 'NO_ANSWER' })))
    asking.on('error', reject)
    asking.end(body)
  })

/** With the same key until the order is taken: a connection that breaks and a refusal for now say nothing of it. */
const insist = async (agent, key) => {
  for (;;) {
    try {
      const [status, afterMs] = await post(agent, key)
      count(statuses, status)
      if (status === 201) return void taken++
      if (status < 500) throw new Error(`an order was answered with ${status}`)
      await wait(Math.max(afterMs, retryMs))
    } catch (error) {
      if (error.code === undefined) throw error
      count(failures, error.code)
      await wait(retryMs)
    }
  }
}

const runClient = async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!isStopped && (orders === 0 || placed < orders)) {
    await insist(agent, `${NAME} ${placed++}`)
    if (pauseMs > 0) await wait(pauseMs)
  }
  agent.destroy()
}

process.on('SIGUSR2', () => (isStopped = true))
const telling = setInterval(report, 1_000)
await Promise.all(Array.from({ length: clients }, runClient))
clearInterval(telling)
report()
