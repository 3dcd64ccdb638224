import test from 'ava'
import { parse } from 'yaml'
import { yamlOf } from '../../src/operator/resource-yaml.ts'
import { participantResource, sagaResource, smallSpec, specOfFile } from './resources.ts'

test('a saga reads as a person writes it', (t) => {
  const spec = { steps: [{ with: { b: 'start.b', a: 'start.a' }, command: 'ReserveStock', name: 'stock' }], ...{} }
  const text = yamlOf(sagaResource('order', { ...spec, start: { key: 'event.orderId', on: 'OrderPlaced' } }))
  t.is(
    text,
    `apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata:
  name: order
spec:
  start:
    on: OrderPlaced
    key: event.orderId
  steps:
    - name: stock
      command: ReserveStock
      with:
        a: start.a
        b: start.b
`
  )
})

test('a text is the same for the same spec, and holds all of it', (t) => {
  const spec = specOfFile('sagas/order.yaml')
  const text = yamlOf(sagaResource('order', spec))
  t.deepEqual((parse(text) as { spec: unknown }).spec, spec)
  t.is(yamlOf(sagaResource('order', (parse(text) as { spec: typeof spec }).spec, 9)), text)
})

test("'on' is found where YAML 1.1 has made it true, and nowhere else is anything renamed", (t) => {
  const trigger = { true: 'OrderPlaced', key: 'event.orderId' }
  const steps = [{ name: 'stock', command: 'ReserveStock', with: { true: 'start.a' }, compensate: 'none' }]
  const text = yamlOf(sagaResource('order', smallSpec({ start: trigger, cancel: trigger, steps })))
  const { spec } = parse(text) as { spec: Record<string, unknown> }
  t.deepEqual(spec['start'], { on: 'OrderPlaced', key: 'event.orderId' })
  t.deepEqual(spec['cancel'], { on: 'OrderPlaced', key: 'event.orderId' })
  t.deepEqual(spec['steps'], steps)
})

test('a contract keeps its lines', (t) => {
  const contract = 'protocol A {\n  record B { string c; }\n}\n'
  const text = yamlOf(participantResource('a', { contract, inbox: 'a-commands', events: 'a-events' }))
  t.regex(text, /\nspec:\n {2}inbox: a-commands\n {2}events: a-events\n {2}contract: \|\n {4}protocol A \{\n/)
})
