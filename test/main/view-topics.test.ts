import test from 'ava'
import { viewLayoutOf, viewTopicsOf } from '../../src/main/view-topics.ts'
import { noApplication } from '../../src/application/index.ts'
import { sold } from '../view/sold.ts'
import { theShop } from '../helpers/shop-parts.ts'

test('the read model follows journals, what came of calls, and what projections read beside them', (t) => {
  t.deepEqual(viewTopicsOf(noApplication), ['saga-events', 'http-calls'])
  const reading = {
    ...noApplication,
    projections: [{ ...sold, reads: ['saga-events', 'billing-events'] }]
  }
  t.deepEqual(viewTopicsOf(reading), ['saga-events', 'http-calls', 'billing-events'])
  t.deepEqual(viewTopicsOf(theShop).toSorted(), [
    ...['http-calls', 'order-events', 'payment-events', 'saga-events', 'shipping-events', 'stock-events']
  ])
})

test('without an application the read model has the instances of sagas alone', (t) => {
  t.deepEqual(
    viewLayoutOf(noApplication).projections.map(({ name }) => name),
    ['sagas']
  )
})
