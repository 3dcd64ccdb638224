import test from 'ava'
import { contractSet } from '../../src/contract/index.ts'
import type { Json } from '../../src/operator/crd/index.ts'
import { judgeSaga, Verdicts } from '../../src/operator/saga-verdict.ts'
import { sagaResource, shopContracts, smallSpec, specOfFile } from './resources.ts'

const contracts = shopContracts()

const messageOf = (spec: Json, name = 'order'): string => {
  const verdict = judgeSaga(sagaResource(name, spec), contracts)
  return verdict.isGood ? '' : verdict.message
}

test('a good resource has the revision of the file that says the same', (t) => {
  const verdict = judgeSaga(sagaResource('order', specOfFile('sagas/order.yaml')), contracts)
  t.true(verdict.isGood && /^[0-9a-f]{12}$/.test(verdict.revision))
  t.true(verdict.isGood && verdict.stepCount === 6)
  t.true(verdict.isGood && verdict.source === 'sagas.parcomolo.io/shop/order')
})

test('the order of keys, and whatever the API server adds, makes no other revision or text', (t) => {
  const one = sagaResource('order', smallSpec({ deadline: '1h' }))
  const { metadata, spec, ...rest } = sagaResource('order', { deadline: '1h', ...smallSpec() }, 7)
  const other = { spec, metadata: { ...metadata, labels: { a: 'b' }, finalizers: ['x'] }, status: {}, ...rest }
  const [a, b] = [judgeSaga(one, contracts), judgeSaga(other, contracts)]
  t.true(a.isGood && b.isGood)
  t.deepEqual(a, b)
})

test('what is wrong is told by field, with the nearest name, and no line of a text that nobody has written', (t) => {
  const spec = smallSpec({ deadlin: '1h', start: { on: 'OrderPlacd', key: 'event.orderId' } })
  const message = messageOf(spec)
  t.regex(message, /^spec\.start\.on: unknown event 'OrderPlacd'; did you mean 'OrderPlaced'\?$/m)
  t.regex(message, /^spec\.deadlin: .*'deadlin'.*did you mean 'deadline'\?/m)
  t.notRegex(message, /:\d+:\d+|parcomolo\.io/)
})

test('a name that a saga cannot have is a fault of the metadata', (t) => {
  t.regex(messageOf(smallSpec(), '1st.order'), /^metadata\.name: '1st\.order' cannot name a saga/)
})

test('of very many faults ten are told and the rest is counted', (t) => {
  const step = (smallSpec()['steps'] as Json[])[0] as { readonly [name: string]: Json }
  const steps = Array.from({ length: 30 }, (_, i) => ({ ...step, name: `s${i}`, command: 'ReserveStok' }))
  const lines = messageOf(smallSpec({ steps })).split('\n')
  t.is(lines.length, 11)
  t.regex(lines[10]!, /^… and 20 more$/)
})

test('it is said whether a participant that comes later may mend it', (t) => {
  const unknown = judgeSaga(sagaResource('order', smallSpec()), contractSet([]))
  t.true(!unknown.isGood && unknown.mayResolve)
  const wrong = judgeSaga(sagaResource('order', smallSpec({ deadline: 'soon' })), contracts)
  t.true(!wrong.isGood && !wrong.mayResolve)
})

test('a spec is judged anew only when it or the contracts have changed', (t) => {
  const verdicts = new Verdicts()
  const resource = sagaResource('order', smallSpec())
  const first = verdicts.of(resource, contracts)
  t.is(verdicts.of({ ...resource, status: { runningCount: 3 } }, contracts), first)
  t.not(verdicts.of(sagaResource('order', smallSpec({ deadline: '1h' }), 2), contracts), first)
  t.not(verdicts.of(resource, shopContracts()), first)
  verdicts.forget('order')
  t.not(verdicts.of(resource, contracts), first)
})
