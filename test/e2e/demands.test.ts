import test from 'ava'
import { type Fact, schemas, written } from '../simulation/journal-writing.ts'
import { demandsOf } from './demands.ts'
import type { Demand } from './stalls.ts'

/** A record at a time: `topic type`, its value, and headers. */
const at = (time: number, place: string, value: object, headers: Record<string, string> = {}): Fact => {
  const [topic, type] = place.split(' ') as [string, string]
  return { at: time, topic, type, value: { saga: 'order', key: 'o', orderId: 'o', lines: [], ...value }, headers }
}

const issued = (time: number, step: string, undo = false): Fact => {
  const commandId = `order/${step}${undo ? '!undo' : ''}/o`
  const value = { step, undo, commandId, command: 'ReserveStock', inbox: 'inventory-commands', attempt: 1, dueAt: 0 }
  return at(time, 'saga-events CommandIssued', value)
}

const demandsIn = (...facts: Fact[]): Demand[] => demandsOf(written(facts), schemas).demands
const demand = (place: string, askedAt: number, answeredAt: number): Demand => ({ place, askedAt, answeredAt })

test('a service is asked by a command, from the first time that it comes to the first event that answers it', (t) => {
  const [id, cause] = [{ ce_id: 'order/stock/o' }, { ce_causationid: 'order/stock/o' }]
  t.deepEqual(
    demandsIn(
      at(100, 'inventory-commands ReserveStock', {}, id),
      at(300, 'inventory-commands ReserveStock', {}, id),
      at(400, 'stock-events OutOfStock', {}, cause),
      at(450, 'stock-events OutOfStock', {}, cause),
      at(500, 'inventory-commands ReserveStock', {}, { ce_id: 'never answered' })
    ),
    [demand('stock-events/0', 100, 400)]
  )
})

test('a command that its sender held back came no earlier than what stands before it', (t) => {
  t.deepEqual(
    demandsIn(
      at(900, 'inventory-commands ReserveStock', {}, { ce_id: 'b' }),
      at(100, 'inventory-commands ReserveStock', {}, { ce_id: 'a' }),
      at(950, 'stock-events OutOfStock', {}, { ce_causationid: 'a' })
    ),
    [demand('stock-events/0', 900, 950)]
  )
})

test('a saga is asked by what starts it, and by each reply, which its own command tells it from others', (t) => {
  const facts = [
    at(10, 'order-events OrderPlaced', { totalCents: 1 }),
    at(15, 'saga-events SagaStarted', {}),
    issued(15, 'stock'),
    at(20, 'stock-events StockReserved', {}, { ce_causationid: 'order/stock/o' }),
    at(28, 'saga-events StepSucceeded', { step: 'stock' }),
    issued(40, 'stock', true),
    at(50, 'stock-events StockReleased', {}, { ce_causationid: 'order/stock!undo/o' }),
    at(57, 'saga-events StepCompensated', { step: 'stock' }),
    at(60, 'saga-events SagaCompensated', {})
  ]
  t.deepEqual(demandsIn(...facts), [
    demand('saga-events/0', 10, 15),
    demand('saga-events/0', 20, 28),
    demand('saga-events/0', 50, 57)
  ])
  t.deepEqual(demandsOf(written(facts), schemas).batches.get('saga-events/0'), [15, 28, 40, 57, 60])
})
