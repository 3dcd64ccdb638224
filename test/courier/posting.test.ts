import test from 'ava'
import { billingAt, stageOf, subscribe } from './stage.ts'
import { serve } from './service.ts'

test('an event that fits begins a saga, and the same id again is no second event', async (t) => {
  const service = await serve(t, ({ body }) => ({ body: { customerId: body['customerId'], receipt: 1 } }))
  const stage = await stageOf(t, billingAt(service.url), subscribe('timeout: 5s'))
  const event = { customerId: 'ada', card: 'tok', note: '' }
  const first = await stage.post('Subscribed', event, { 'ce-id': 'one' })
  t.deepEqual(first, { status: 202, body: { id: 'one', type: 'Subscribed', subject: 'ada' } })
  await stage.ended('ada')
  t.is((await stage.post('acme.billing.Subscribed', event, { 'ce-id': 'one', 'ce-subject': 'ada' })).status, 202)
  t.is((await stage.post('Subscribed', { ...event, customerId: 'bob' }, { 'ce-id': 'two' })).status, 202)
  await stage.ended('bob')
  const { body } = await stage.journal()
  t.is(body.filter(({ type }) => type === 'Subscribed').length, 2)
})

test('what does not fit is refused with each fault and its place', async (t) => {
  const stage = await stageOf(t, billingAt('http://127.0.0.1:1/'), subscribe('timeout: 5s'))
  const wrong = await stage.post('Subscribed', { customerId: 5, note: 'no base64', hint: true, other: 1 })
  t.is(wrong.status, 400)
  t.deepEqual(wrong.body['errors'], [
    { path: 'customerId', message: "is the number '5'; expected a string" },
    { path: 'card', message: 'is missing; expected a string' },
    { path: 'note', message: "is the string 'no base64'; expected bytes as base64" },
    { path: 'hint', message: "is the boolean 'true'; expected null or a string" },
    { path: 'other', message: 'is no field of this record' }
  ])
  const event = { customerId: 'ada', card: 'tok', note: '' }
  t.like(await stage.post('Subscribd', event), { status: 400, body: { errors: [{ path: 'ce-type' }] } })
  t.like(await stage.post('Charge', event), { status: 400, body: { errors: [{ path: 'ce-type' }] } })
  t.like(await stage.post('Subscribed', event, { 'ce-subject': 'bob' }), { body: { errors: [{ path: 'ce-subject' }] } })
  const nobody = await stage.post('Subscribed', { ...event, customerId: '' }, { 'ce-subject': 'bob' })
  t.like(nobody, { status: 400, body: { errors: [{ path: 'customerId' }] } })
  t.like(await stage.post('Charged', { customerId: 'ada', receipt: 1 }), { body: { errors: [{ path: 'ce-subject' }] } })
  t.like(await stage.post('Subscribed', event, { 'ce-id': '' }), { status: 400 })
  t.like(await stage.post('Subscribed', event, { 'content-type': 'text/plain' }), { status: 415 })
})

test('only participants that speak HTTP are heard', async (t) => {
  const foreign = billingAt('http://127.0.0.1:1/').replace(/ {2}http: .*\n/, '')
  const stage = await stageOf(t, foreign, subscribe('timeout: 5s'))
  const event = { customerId: 'ada', card: 'tok', note: '' }
  t.like(await stage.post('Subscribed', event), { status: 409, body: { code: 'PARCOMOLO_HTTP_CONFLICT' } })
  const headers = { 'content-type': 'application/json', 'ce-id': 'x', 'ce-type': 'Subscribed' }
  const url = `${stage.running.url}/participants/biling/events`
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(event) })
  t.is(response.status, 404)
  t.regex(((await response.json()) as { detail: string }).detail, /did you mean 'billing'/)
})
