import test from 'ava'
import { billingAt, stageOf, subscribe } from './stage.ts'
import { serve } from './service.ts'

const quick = "timeout: 5s\n      retry: { attempts: 3, backoff: 50ms }"

test('a reply of 200 answers the command, which the service gets as a CloudEvent', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 7, more: 1 } }))
  const stage = await stageOf(t, billingAt(service.url), subscribe(quick))
  await stage.subscribe('ada')
  const saga = await stage.ended('ada')
  t.like(saga, { status: 'completed' })
  t.is(service.asked.length, 1)
  const [asked] = service.asked
  t.like(asked, { id: 'subscribe/charge/ada', type: 'Charge', subject: 'ada', attempt: '1' })
  t.deepEqual(asked!.body, { customerId: 'ada', card: 'tok', cents: 500, note: 'aGk=', hint: null })
  t.is(asked!.headers['ce-correlationid'], 'subscribe/ada')
})
