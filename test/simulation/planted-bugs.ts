import { noFaults } from '../helpers/simulated-log.ts'
import { compatibleContracts, loyaltySagas } from './loyalty.ts'
import {
  beginningStrangers,
  chargingAgain,
  hearing,
  losingHandedOver,
  rewriting,
  withAllRead,
  withLanesMoved,
  withoutFailing,
  withoutWaiting,
  withPositionsAhead
} from './misread.ts'
import { instead } from './other-log.ts'
import {
  awayChoreography,
  awayCluster,
  besideContracts,
  type Case,
  changingContracts,
  cluster,
  failingKeys,
  laptop,
  severalKeys
} from './scenarios.ts'

const failingOften: Case = {
  ...{ ...cluster, ...failingKeys, nodes: 2, partitions: 2, orders: 20, absences: 0 },
  ...{ crashes: 1, pauses: 0, rebalances: 1 }
}

const severalOften: Case = { ...failingOften, ...severalKeys, partitions: 4 }

/** Bugs put between the shop and its log, which a run has to find on one of its first seeds, some as what they are. */
export const plantedBugs: Readonly<Record<string, Case & { readonly finds?: RegExp }>> = {
  'a log that lets an older owner go on writing': {
    ...cluster,
    partitions: 1,
    spoil: ({ broker }) => (broker.checksEpoch = false)
  },
  'batches with positions beyond what they cover': {
    ...cluster,
    partitions: 1,
    wrap: (log) => instead(log, { claim: async (place) => withPositionsAhead(await log.claim(place)) })
  },
  'attempts that count as read when they are sent': { ...awayCluster, absences: 6, wrap: (log) => withAllRead(log) },
  'a lane that is behind what it has begun': { ...awayCluster, window: 1, wrap: (log) => withLanesMoved(log, -1) },
  'a lane that is ahead of what it has begun': { ...awayCluster, window: 1, wrap: (log) => withLanesMoved(log, 1) },
  'a task that does not wait for its dead letters': {
    ...cluster,
    orders: 2,
    garbage: 60,
    crashes: 20,
    wrap: (log) => instead(log, { send: (records) => withoutWaiting(log, records) })
  },
  'answers that do not wait for the disk': {
    ...laptop,
    orders: 40,
    crashes: 14,
    faults: { ...noFaults, slowDisk: 1 },
    wrap: (log) => instead(log, { reader: (starts) => log.reader(starts, 'visible') })
  },
  'a payment that charges again where it is to refund': {
    ...awayCluster,
    cancels: 0.6,
    wrap: chargingAgain,
    finds: /9\.2 money: .* was captured twice/
  },
  'a payment that charges again where it is to refund, as choreography': {
    ...awayChoreography,
    wrap: chargingAgain,
    finds: /9\.2 money: .* was captured twice/
  },
  'a saga that takes a captured payment for a failed one': {
    ...awayCluster,
    wrap: hearing('orchestrator', { PaymentSucceeded: 'payment.PaymentFailed' }),
    finds: /9\.2 money: .* is REJECTED, but its payment was not refunded/
  },
  'a payment that does not hear of cancels, as choreography': {
    ...awayChoreography,
    wrap: hearing('payment', { OrderCancelled: undefined }),
    finds: /9\.2 money: .* is CANCELLED, but its payment was not refunded/
  },
  'a payment that takes every confirmation for a cancel, as choreography': {
    ...awayChoreography,
    wrap: hearing('payment', { OrderConfirmed: 'order.OrderCancelled' }),
    finds: /9\.2 money: .* is COMPLETED, but it was refunded/
  },
  'a saga that takes a refusal to confirm for a confirmation': {
    ...awayCluster,
    cancels: 0.6,
    wrap: hearing('orchestrator', { OrderNotConfirmable: 'order.OrderConfirmed', OrderCancelled: undefined }),
    finds: /9\.3 orders: .* is CANCELLED, but it was shipped/
  },
  'a shipping that does not wait for the order, as choreography': {
    ...awayChoreography,
    wrap: hearing('shipping', { OrderNotConfirmable: 'order.OrderConfirmed', OrderCancelled: undefined }),
    finds: /9\.3 orders: .* is CANCELLED, but it was shipped/
  },
  'an inventory that does not hear of cancels, as choreography': {
    ...awayChoreography,
    wrap: hearing('inventory', { OrderCancelled: undefined }),
    finds: /9\.1 stock: .* is CANCELLED, but its goods are not back/
  },
  'an event that one saga fails on and that is lost for all': {
    ...failingOften,
    wrap: (log, role, codec) => (role === 'orchestrator' ? withoutFailing(log, codec) : log),
    finds: /9\.4 progress: order '.*' is PENDING, and nothing more will happen to it/
  },
  'an event that one saga fails on and that is lost for another': {
    ...failingOften,
    wrap: rewriting((text) => (isWatch(text) ? text.replace(ownKey, failingKey) : text)),
    finds: /3\.7 passed over: '.*' has begun 0 instances of 'watch', though each version can tell its key/
  },
  'a cancel that counts by the key of another revision': {
    ...failingOften,
    wrap: rewriting((text) => (isWatch(text) ? text.replace(/cancel: .*/, foreignCancel) : text)),
    finds: /3\.7 passed over: saga '.*' (was cancelled, but by no key of its revision|has not heard of its cancel)/
  },
  'a task that begins what belongs to another': {
    ...severalOften,
    wrap: beginningStrangers,
    finds: /9\.9 one instance: saga 'pair\/.*' is more than one instance/
  },
  'starts that are lost as they are handed over': {
    ...severalOften,
    wrap: losingHandedOver('start'),
    finds: /3\.7 passed over: '.*' has begun 0 instances of 'pair', though each version can tell its key/
  },
  'cancels that are lost as they are handed over': {
    ...severalOften,
    wrap: losingHandedOver('cancel'),
    finds: /3\.7 passed over: saga 'watch\/.*' has not heard of its cancel/
  },
  'answers that are lost as they are handed over': {
    ...severalOften,
    wrap: losingHandedOver('answer'),
    finds: /9\.4 progress: saga 'p.*' has not ended, and nothing more happens/
  },
  'a pinned revision that runs with the newest contract': {
    ...changingContracts,
    beside: {
      ...besideContracts,
      sagas: [[loyaltySagas[0]!, loyaltySagas[2]!]],
      contracts: [compatibleContracts.stricter],
      thinksMsMax: 10_000
    },
    wrap: rewriting((text) => text, ''),
    finds: /stands still, though no contract has lacked what it names|has begun 0 instances of 'loyalty'/
  },
  'a contract that is taken by who does not know what is in force': {
    ...changingContracts,
    beside: { ...besideContracts, sagas: [loyaltySagas.slice(0, 1)] },
    wrap: rewriting((text) => (/^metadata: \{ name: loyalty \}$/m.test(text) ? loyaltySagas[2]!.text : text)),
    finds: /4 contracts: a contract is published without what a saga in force needs/
  },
  'a disk that loses the ends of its partitions one by one': {
    ...laptop,
    orders: 40,
    crashes: 14,
    faults: { ...noFaults, slowDisk: 1 },
    spoil: ({ broker }) => (broker.hasOneOrder = false)
  }
}

const isWatch = (text: string): boolean => text.includes('{ name: watch }')

const ownKey = 'key: "event.orderId" }'
const failingKey = `key: "100 / (int(event.orderId.split('-')[1]) % 4) > 0 ? event.orderId : ''" }`
const foreignCancel = `cancel: { on: OrderCancelled, key: "'order-' + string(int(event.orderId.split('-')[1]) / 2)" }`
