import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { start } from '../../src/main/start.ts'
import { orderBody } from '../http/requests.ts'
import { configOf, json, newFolder, until } from './process-stage.ts'

/** Its commands are for an order, whose id is the name of the goods; its own key is their SKU. */
const sagaOf = (name: string, command: string): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: ${name} }
spec:
  start: { on: StockSet, key: event.sku }
  steps: [{ name: do, ${command}, compensate: none }]
`
const pay = `command: ProcessPayment, timeout: 500ms, retry: { attempts: 2, backoff: 50ms },
    with: { orderId: start.name, amountCents: 500, currency: "'EUR'", token: "'tok_visa'" }`
const cancel = 'command: CancelOrder, with: { orderId: start.name, reason: "\'fee\'" }'

type Saga = {
  readonly status: string
  readonly failure: unknown
  readonly timeline: readonly { readonly type: string }[]
}

/** The shop with a saga more, on so many partitions. */
const opened = async (t: ExecutionContext, partitions: number, yaml: string) => {
  const folder = await newFolder(t)
  const sagasFolder = join(folder, 'sagas')
  await cp('sagas', sagasFolder, { recursive: true })
  await writeFile(join(sagasFolder, 'extra.yaml'), yaml)
  const running = await start(configOf(join(folder, 'data'), { partitions, sagasFolder }))
  const { url } = running
  const stop = (): Promise<void> => running.stop()
  const send = async (method: 'POST' | 'PUT', path: string, body: object): Promise<{ readonly orderId: string }> => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    t.true(response.ok)
    return (await response.json()) as { orderId: string }
  }
  await until(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined))
  await until(async () => ((await json(`${url}/definitions`)).body['items'] as unknown[])[1] as object | undefined)
  const place = async (paymentToken: string, until: string): Promise<string> => {
    const { orderId } = await send('POST', '/orders', { ...orderBody(), paymentToken })
    await ended(`${url}/orders/${orderId}?wait=20s`, until)
    return orderId
  }
  const ended = async (path: string, status: string): Promise<void> =>
    void t.like(await json(path), { body: { status } }, path)
  const set = (sku: string, name: string): Promise<unknown> =>
    send('PUT', `/stock/${sku}`, { name, priceCents: 1, onHand: 1 })
  const saga = (name: string, key: string): Promise<Saga> =>
    until(async () => {
      const { body } = await json(`${url}/sagas/${name}/${key}`)
      return ['completed', 'compensated'].includes(String(body['status'])) ? (body as unknown as Saga) : undefined
    })
  return { url, stop, place, set, saga }
}

const typesOf = ({ timeline }: Saga): string[] => timeline.map(({ type }) => type)

/** What a saga and the order that it is about have come to. */
const outcomeOf = async (t: ExecutionContext, partitions: number) => {
  const { url, stop, place, set, saga } = await opened(t, partitions, sagaOf('fee', pay))
  const outcomes: unknown[] = []
  for (const sku of ['zz', 'yy', 'xx', 'ww']) {
    const orderId = await place('tok_visa', 'COMPLETED')
    await set(sku, orderId)
    const done = await saga('fee', sku)
    const { body } = await json(`${url}/orders/${orderId}`)
    const timeline = (body['timeline'] as { type: string }[]).filter(({ type }) => type.startsWith('Payment'))
    outcomes.push([done.status, typesOf(done), body['status'], body['payment'], timeline.map(({ type }) => type)])
  }
  const { body } = await json(`${url}/definitions/fee`)
  await stop()
  return { outcomes, says: (body['revisions'] as { keys: string }[])[0]!.keys }
}

test('a saga that asks for what others have gets the same answer with 1, 4 and 12 partitions', async (t) => {
  const [one, four, twelve] = [await outcomeOf(t, 1), await outcomeOf(t, 4), await outcomeOf(t, 12)]
  t.deepEqual(one.outcomes[0], [
    ...['completed', ['SagaStarted', 'CommandIssued', 'StepSucceeded', 'SagaCompleted'], 'COMPLETED'],
    ...[{ status: 'SUCCEEDED' }, ['PaymentSucceeded']]
  ])
  t.deepEqual(four.outcomes, one.outcomes)
  t.deepEqual(twelve.outcomes, one.outcomes)
  t.regex(one.says, /^several keys: .*'ProcessPayment' of step 'do' goes under 'orderId', which is 'start\.name'/)
})

test('an order is cancelled by a saga of another key, whatever partition it is in', async (t) => {
  const { url, stop, place, set, saga } = await opened(t, 8, sagaOf('fee', cancel))
  for (const sku of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const orderId = await place('tok_declined', 'REJECTED')
    await set(sku, orderId)
    const { status, failure } = await saga('fee', sku)
    t.like({ status, failure }, { status: 'compensated', failure: { type: 'OrderNotCancellable' } })
  }
  t.like(await json(`${url}/definitions/order`), { body: { revisions: [{ current: true }] } })
  await stop()
})
