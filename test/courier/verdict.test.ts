import test from 'ava'
import { readContract } from '../../src/contract/index.ts'
import { verdictOf } from '../../src/courier/verdict.ts'

const contract = readContract({
  path: 'parcel.yaml',
  text: `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: parcel }
spec:
  inbox: parcel-commands
  events: parcel-events
  http: { url: http://parcel }
  contract: |
    @namespace("shop.parcel")
    protocol Parcel {
      record Send { string id; }
      record Sent { string id; }
      record Queued { string id; int place; }
      error NoRoom { string id; }
      union { Sent, Queued } send(Send command) throws NoRoom;
      record Lose { string id; }
      record Lost { string id; }
      Lost lose(Lose command);
    }
`
})

const now = Date.parse('2026-11-30T12:00:00Z')
const whole = (status: number, body: unknown, type?: string, retryAfter?: string) => ({
  ...{ status, type, retryAfter },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
})
const of = (command: string, ...answer: Parameters<typeof whole>) => verdictOf(contract, command, whole(...answer), now)

test('of several replies ce-type says which, short or in full', (t) => {
  const queued = {
    kind: 'record',
    type: 'Queued',
    fullName: 'shop.parcel.Queued',
    value: { id: 'a', place: 2 }
  } as const
  t.deepEqual(of('Send', 200, { id: 'a', place: 2 }, 'Queued'), queued)
  t.deepEqual(of('Send', 200, { id: 'a', place: 2, more: true }, 'shop.parcel.Queued'), queued)
  t.like(of('Send', 200, { id: 'a' }), {
    detail: "status 200 without a header 'ce-type'; expected one of 'Sent', 'Queued', as there are several"
  })
})

test('an error is known by its name alone, as 422 is what frameworks say of bad requests', (t) => {
  t.like(of('Send', 422, { id: 'a' }, 'NoRoom'), { kind: 'record', type: 'NoRoom' })
  t.like(of('Send', 422, { id: 'a' }), { detail: "status 422 without a header 'ce-type'; expected 'NoRoom'" })
  t.like(of('Lose', 422, { id: 'a' }, 'NoRoom'), {
    detail: "status 422 with 'ce-type: NoRoom'; expected no such status"
  })
  t.like(of('Lose', 200, { id: 'a' }, 'Sent'), { isWrong: true })
})

test('what is wrong with an answer is told without what stands in it', (t) => {
  const verdict = of('Lose', 200, { id: 12345 })
  t.like(verdict, {
    reason: 'wrong-answer',
    detail: 'status 200 with a body that is no Lost: id is a number; expected a string'
  })
  t.like(of('Lose', 200, 'secret'), { detail: 'status 200 with a body of 6 bytes that is no JSON; expected a Lost' })
})

test('other statuses say when to come again, in seconds or by a date', (t) => {
  t.like(of('Lose', 503, '', undefined, '7'), { reason: 'status', detail: 'status 503', retryAfterMs: 7_000 })
  t.like(of('Lose', 429, '', undefined, 'Mon, 30 Nov 2026 12:00:05 GMT'), { retryAfterMs: 5_000 })
  t.like(of('Lose', 429, '', undefined, 'soon'), { retryAfterMs: 0 })
  t.deepEqual(of('Lose', 202, ''), { kind: 'accepted' })
})
