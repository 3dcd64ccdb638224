import test from 'ava'
import { usesOf } from '../../src/operator/participant-uses.ts'
import { sagaResource, shopContracts, smallSpec, specOfFile } from './resources.ts'

const contracts = shopContracts()

test('a saga uses the participants of its commands and its events', (t) => {
  const sagas = [sagaResource('order', specOfFile('sagas/order.yaml')), sagaResource('small')]
  t.deepEqual(usesOf('inventory', sagas, contracts), [
    { saga: 'order', names: ['DispatchStock', 'ReleaseStock', 'ReserveStock'] },
    { saga: 'small', names: ['ReleaseStock', 'ReserveStock'] }
  ])
  t.deepEqual(usesOf('shipping', sagas, contracts), [{ saga: 'order', names: ['ItemShipped', 'ScheduleShipping'] }])
  t.deepEqual(
    usesOf('order', sagas, contracts).map(({ saga }) => saga),
    ['order', 'small']
  )
})

test("a name with the participant's before it counts, and so does 'on' as YAML 1.1 reads it", (t) => {
  const start = { true: 'order.OrderPlaced', key: 'event.orderId' }
  t.deepEqual(usesOf('order', [sagaResource('small', smallSpec({ start }))], contracts), [
    { saga: 'small', names: ['order.OrderPlaced'] }
  ])
})

test('arguments and unknown names use nothing', (t) => {
  const step = { name: 'a', command: 'Unknown', with: { command: 'ReserveStock', on: 'OrderPlaced' } }
  t.deepEqual(usesOf('inventory', [sagaResource('small', { steps: [step] })], contracts), [])
  t.deepEqual(usesOf('nobody', [sagaResource('small')], contracts), [])
})
