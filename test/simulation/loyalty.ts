/**
 * What people write for a participant of their own, which is no part of the shop, and for sagas that run beside that of
 * the order: contracts and sagas, each in several versions.
 */
import type { SagaVersion } from '../helpers/auditor/beside.ts'
import type { Value } from '../helpers/auditor/events.ts'

const first = `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: loyalty }
spec:
  inbox: loyalty-commands
  events: loyalty-events
  contract: |
    @namespace("test.loyalty")
    protocol Loyalty {
      record AwardPoints { @key string orderId; long points; }
      record PointsAwarded { string orderId; long balance; }
      PointsAwarded awardPoints(AwardPoints command);
      record TakePoints { @key string orderId; }
      record PointsTaken { string orderId; }
      PointsTaken takePoints(TakePoints command);
      record IssueVoucher { string orderId; long balance; }
      record VoucherIssued { string orderId; }
      VoucherIssued issueVoucher(IssueVoucher command);
    }
`

export const loyaltyContract = first

const more = `record PointsExpired { string orderId; }
      void pointsExpired(PointsExpired event) oneway;
      record CountPoints { string orderId; }
      record PointsCounted { string orderId; long balance; }
      PointsCounted countPoints(CountPoints command);
      record AwardPoints`

/** Each can stand in the place of any other, as far as the registry is concerned. */
export const compatibleContracts = {
  wordier: first.replace('long points; }', 'long points; string reason = "order"; }'),
  wider: first.replace('record AwardPoints', more),
  /** A rejection, which no step behind a pivot may have. */
  stricter: first
    .replace('record VoucherIssued', 'error TooMany { string orderId; }\n      record VoucherIssued')
    .replace('issueVoucher(IssueVoucher command)', 'issueVoucher(IssueVoucher command) throws TooMany'),
  withoutVoucher: first
    .replace('record IssueVoucher { string orderId; long balance; }', '')
    .replace('record VoucherIssued { string orderId; }', '')
    .replace('VoucherIssued issueVoucher(IssueVoucher command);', ''),
  withoutBalance: first.replace(
    'record PointsAwarded { string orderId; long balance; }',
    'record PointsAwarded { string orderId; }'
  ),
  withoutPoints: first.replace(
    'record AwardPoints { @key string orderId; long points; }',
    'record AwardPoints { @key string orderId; }'
  )
}

/** These are refused whatever runs: by the registry, or as what is no contract. */
export const impossibleContracts = {
  asText: first.replace('long balance; }\n      PointsAwarded', 'string balance; }\n      PointsAwarded'),
  demanding: first.replace(
    'record PointsAwarded { string orderId;',
    'record PointsAwarded { string orderId; long total;'
  ),
  broken: first.replace('inbox:', 'inbux:')
}

/** What one of an order's number gives, and of which orders it fails. */
const order = (event: string): string => `int(${event}.orderId.split('-')[1])`

const numberOf = ({ orderId }: Value): number => Number(String(orderId).split('-')[1])

const own = ({ orderId }: Value): string => String(orderId)
const nobody = (): undefined => undefined

/** The sagas' keys, as code instead of expressions: `rests` are those of the orders that have none. */
const butFor =
  (divisor: number, rests: readonly number[], key: SagaVersion['start'] = own): SagaVersion['start'] =>
  (event) =>
    rests.includes(numberOf(event) % divisor) ? undefined : key(event)

type Head = { readonly name: string; readonly key?: string; readonly cancel?: string }

const sagaOf = ({ name, key = 'event.orderId', cancel }: Head, ...steps: readonly string[]): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: ${name} }
spec:
  start: { on: OrderPlaced, key: "${key}" }
  ${cancel === undefined ? '' : `cancel: { on: OrderCancelled, key: "${cancel}" }`}
  steps:
${steps.map((step) => `    - { ${step}, ${patient} }`).join('\n')}
`

/** What is not answered for long is not given up: its participant may be away. */
const patient = 'timeout: 2s, retry: { attempts: 500, backoff: 100ms, cap: 1s }'

const award = (name: string, points = 'start.totalCents / 100'): string =>
  `name: ${name}, command: AwardPoints, with: { orderId: start.orderId, points: "${points}" }`

const taking = `compensate: { command: TakePoints, with: { orderId: start.orderId }, ${patient} }`

/** Of every fourth order none of these can tell the key; of the next one, some can. */
export const pointsSagas: readonly SagaVersion[] = [
  { key: `100 / (${order('event')} % 4) > 0 ? event.orderId : ''`, start: butFor(4, [0]) },
  {
    key: `['a', 'a', 'a'][${order('event')} % 4 - 1] + '/' + event.orderId`,
    start: butFor(4, [0], (event) => `a/${own(event)}`)
  },
  { key: `${order('event')} % 4 < 2 ? '' : event.orderId`, start: butFor(4, [0, 1]) },
  {
    key: `string(int(${order('event')} % 4 < 2 ? '' : '7')) + event.orderId`,
    start: butFor(4, [0, 1], (event) => `7${own(event)}`)
  }
].map(({ key, start }) => ({
  text: sagaOf({ name: 'points', key }, `${award('points')}, compensate: none`),
  ...{ start, cancel: nobody, end: () => 'completed' }
}))

/** Two orders are one run, wherever they stand; the second version has the runs of the first. */
export const pairSagas: readonly SagaVersion[] = [
  `'pair-' + string(${order('event')} / 2)`,
  `'pair' + '-' + string(${order('event')} / 2)`
].map((key) => ({
  text: sagaOf({ name: 'pair', key }, `${award('points')}, ${taking}`),
  start: (event) => `pair-${Math.floor(numberOf(event) / 2)}`,
  ...{ cancel: nobody, end: () => 'completed', undoable: ['points'] }
}))

/** They differ in who is cancelled by an event; the second means another order than that of the event. */
export const watchSagas: readonly SagaVersion[] = [
  { cancel: 'event.orderId', means: own },
  {
    cancel: `'order-' + string(${order('event')} / 2)`,
    means: (event: Value) => `order-${Math.floor(numberOf(event) / 2)}`
  },
  { cancel: `100 / (${order('event')} % 3) > 0 ? event.orderId : ''`, means: butFor(3, [0]) },
  { cancel: `${order('event')} % 3 == 1 ? '' : event.orderId`, means: butFor(3, [1]) }
].map(({ cancel, means }) => ({
  text: sagaOf({ name: 'watch', cancel }, `${award('points')}, ${taking}`),
  ...{ start: own, cancel: means, undoable: ['points'] }
}))

/** An expression that fails turns the saga back; behind the pivot it parks the saga. */
const giftSaga = (last: string): SagaVersion => ({
  text: sagaOf(
    { name: 'gift' },
    `${award('points')}, ${taking}`,
    `${award('fifth', `100 / (${order('start')} % 5)`)}, compensate: none`,
    `${award('pivot')}, pivot: true`,
    `${award('seventh')}, when: "100 / (${order('start')} % 7) > 0"`,
    award(last)
  ),
  ...{ start: own, cancel: nobody, undoable: ['points'] },
  end: (event) => (numberOf(event) % 5 === 0 ? 'compensated' : numberOf(event) % 7 === 0 ? 'parked' : 'completed')
})

export const giftSagas = ['last', 'end'].map(giftSaga)

const voucher = 'name: voucher, command: IssueVoucher, with: { orderId: start.orderId, balance: steps.points.balance }'

const needsPoints = /record AwardPoints \{[^}]*long points/
const needsBalance = /record PointsAwarded \{[^}]*long balance/

/** With a step behind the pivot, where nothing may be rejected, with one that is the pivot, and without any other. */
export const loyaltySagas: readonly SagaVersion[] = [
  {
    steps: [`${award('points')}, pivot: true`, voucher],
    needs: [needsPoints, needsBalance, /VoucherIssued issueVoucher\(IssueVoucher command\);/]
  },
  {
    steps: [`${award('points')}, compensate: none`, `${voucher}, pivot: true`],
    needs: [needsPoints, needsBalance, /VoucherIssued issueVoucher\(/]
  },
  { steps: [`${award('points')}, compensate: none`], needs: [needsPoints] }
].map(({ steps, needs }) => ({
  text: sagaOf({ name: 'loyalty' }, ...steps),
  ...{ start: own, cancel: nobody, end: () => 'completed', needs }
}))
