import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { type ParcomoloError } from '../../../src/base/index.ts'
import { contractSet, readContract } from '../../../src/contract/index.ts'
import {
  type Finding,
  findingText,
  loadSaga,
  type RetryPolicy,
  type Scope,
  type Template
} from '../../../src/saga/index.ts'
import { sagaLimits } from '../../../src/saga/definition/limits.ts'
import { contracts, errorsOf, lines, load, saga, withSteps } from './fixture.ts'

const fileOf = (path: string) => ({ path, text: readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8') })

const shopContracts = contractSet(
  readdirSync(new URL('../../../sagas/participants', import.meta.url))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readContract(fileOf(`sagas/participants/${name}`)))
)

const order = {
  orderId: 'o1',
  customerId: 'c1',
  lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }],
  totalCents: 4000,
  currency: 'EUR',
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'A', street: 'B', city: 'C', postalCode: 'D', country: 'DE' },
  voucher: null,
  requestHash: 'h'
}

test("the shop's order saga is what its file says", (t) => {
  const definition = loadSaga(fileOf('sagas/order.yaml'), shopContracts)
  const { start, cancel, steps } = definition
  const step = (kind: string, index: number) => ({ kind, index })
  t.is(definition.name, 'order')
  t.deepEqual(definition.warnings, [])
  t.like(start, { event: 'OrderPlaced', topic: 'order-events', compensate: { command: 'RejectOrder' } })
  t.like(cancel, { event: 'OrderCancelled', topic: 'order-events' })
  t.is(start.key.evaluate({ event: order }), 'o1')
  t.is(definition.deadlineMs, 3_600_000)
  t.deepEqual(definition.body, [
    step('step', 0),
    step('step', 1),
    step('step', 2),
    step('step', 3),
    { kind: 'parallel', branches: [[step('step', 4)], [step('step', 5)]] }
  ] as typeof definition.body)
  t.deepEqual(
    steps.map(({ name, command, inbox, pivot, retriable }) => [name, command, inbox, pivot, retriable]),
    [
      ['stock', 'ReserveStock', 'inventory-commands', false, false],
      ['payment', 'ProcessPayment', 'payment-commands', false, false],
      ['confirm', 'ConfirmOrder', 'order-commands', true, false],
      ['shipping', 'ScheduleShipping', 'shipping-commands', false, true],
      ['dispatch', 'DispatchStock', 'inventory-commands', false, true],
      ['complete', 'CompleteOrder', 'order-commands', false, true]
    ]
  )
  t.deepEqual(
    steps.map(({ compensate }) => compensate?.command),
    ['ReleaseStock', 'RefundPayment', undefined, undefined, undefined, undefined]
  )
  t.like(steps[1], {
    onUnknown: 'compensate',
    onRejection: 'compensate',
    timeoutMs: 3000,
    rejections: ['PaymentFailed']
  })
  t.like(steps[3], { until: 'ItemShipped', onUnknown: 'retry', onRejection: 'park', replies: ['ShippingScheduled'] })
  t.deepEqual(steps[1]?.arguments.evaluate({ start: order }), {
    orderId: 'o1',
    amountCents: 4000,
    currency: 'EUR',
    token: 'tok_visa'
  })
  const failure = { type: 'PaymentFailed', step: 'payment', message: 'no' }
  t.deepEqual(start.compensate?.arguments.evaluate({ start: order, failure }), {
    orderId: 'o1',
    reason: 'PaymentFailed'
  })
  t.like(definition.complete, { event: 'OrderCompleted', eventFullName: 'parcomolo.order.OrderCompleted' })
  t.is(definition.abort, undefined)
})

const call = { timeoutMs: 10_000 }
const usualRetry: RetryPolicy = { attempts: 5, backoffMs: 200, factor: 2, capMs: 10_000, jitter: 0.2 }

test('what a step leaves out has a default, and an undo has more patience than a step', (t) => {
  const { steps } = load(
    withSteps(
      lines(
        '    - { name: a, command: Ship, with: { id: start.id }, compensate: { command: Release, with: { id: start.id } } }'
      )
    )
  )
  t.like(steps[0], { ...call, retry: usualRetry, onUnknown: 'retry', onRejection: 'compensate', pivot: false })
  t.like(steps[0], { commandFullName: 'test.shop.Ship', participant: 'shop', inbox: 'shop-commands' })
  t.like(steps[0]?.compensate, {
    ...call,
    retry: { ...usualRetry, attempts: 50, capMs: 60_000 },
    replies: ['Released']
  })
  t.false('when' in steps[0]!)
  t.false('until' in steps[0]!)
})

test('what a step says is taken', (t) => {
  const { steps } = load(
    withSteps(`    - name: a
      command: shop.Ship
      with: { id: start.id }
      when: start.vip
      timeout: 1.5s
      retry: { attempts: 2, backoff: 20s, factor: 1, jitter: 0 }
      onUnknown: park
      onRejection: park
      until: Arrived
      compensate: { command: test.bank.Refund, with: { id: start.id }, timeout: 1m, retry: { attempts: 3, cap: 500ms } }
    - { name: b, command: Charge, compensate: none, pivot: false, with: { id: start.id, cents: 5 } }
    - { name: p, command: Ship, pivot: true, compensate: none, with: { id: start.id } }
    - { name: q, command: Charge, onRejection: park, compensate: none, with: { id: start.id, cents: 5 } }
`)
  )
  const [a, b, p, q] = steps
  t.like(a, { timeoutMs: 1500, onUnknown: 'park', onRejection: 'park', until: 'Arrived' })
  t.deepEqual(a?.retry, { attempts: 2, backoffMs: 20_000, factor: 1, capMs: 20_000, jitter: 0 })
  t.is(a?.when?.evaluate({ start: { vip: false } }), false)
  t.is(a?.when?.source, 'start.vip')
  t.like(a?.compensate, { command: 'Refund', participant: 'bank', timeoutMs: 60_000, rejections: [] })
  t.deepEqual(a?.compensate?.retry, { attempts: 3, backoffMs: 200, factor: 2, capMs: 500, jitter: 0.2 })
  t.deepEqual(
    [b, p, q].map((step) => [step?.compensate, step?.pivot, step?.retriable, step?.onRejection]),
    [
      [undefined, false, false, 'compensate'],
      [undefined, true, false, 'compensate'],
      [undefined, false, true, 'park']
    ]
  )
})

test('parallel branches are steps or sequences, and may hold parallel nodes', (t) => {
  const step = (name: string) => `{ name: ${name}, command: Ship, compensate: none, with: { id: start.id } }`
  const { body, steps } = load(
    withSteps(`    - parallel:
        - ${step('a')}
        - steps: [${step('b')}, { parallel: [${step('c')}, ${step('d')}] }]
    - ${step('e')}
`)
  )
  const at = (index: number) => ({ kind: 'step', index }) as const
  t.deepEqual(body, [
    { kind: 'parallel', branches: [[at(0)], [at(1), { kind: 'parallel', branches: [[at(2)], [at(3)]] }]] },
    at(4)
  ])
  t.deepEqual(
    steps.map(({ name }) => name),
    ['a', 'b', 'c', 'd', 'e']
  )
})

test('a step keeps its reply where some expression reads it', (t) => {
  const step = (name: string, id = 'start.id') =>
    `    - { name: ${name}, command: Ship, compensate: none, with: { id: "${id}" } }\n`
  const { steps } = load(
    withSteps(
      step('read') + step('asked', 'steps.read.id') + step('unread', "has(steps.asked) ? 'a' : 'b'") + step('told'),
      '  complete: { emit: Finished, with: { id: steps.told.tracking } }\n'
    )
  )
  t.deepEqual(
    steps.map(({ name, keepsReply }) => [name, keepsReply]),
    [
      ['read', true],
      ['asked', true],
      ['unread', false],
      ['told', true]
    ]
  )
})

test('records and lists may be written out in YAML, with literals', (t) => {
  const { steps } = load(
    withSteps(`    - name: take
      command: Take
      compensate: none
      with:
        i: -5
        d: 1.5
        b: true
        s: "'text'"
        note: ~
        items: [{ sku: start.id, quantity: 2 }, "start.lines[0]"]
        place: { city: start.home.city, zip: null }
        labels: { de: start.id }
        maybe: []
`)
  )
  const value = steps[0]?.arguments.evaluate({
    start: { id: 's1', home: { city: 'Ulm' }, lines: [{ sku: 'a', quantity: 1, priceCents: 5, remark: null }] }
  })
  t.deepEqual(value, {
    i: -5,
    d: 1.5,
    b: true,
    s: 'text',
    note: null,
    items: [
      { sku: 's1', quantity: 2 },
      { sku: 'a', quantity: 1 }
    ],
    place: { city: 'Ulm', zip: null },
    labels: { de: 's1' },
    maybe: []
  })
})

test('everything around the forward path has its expressions too', (t) => {
  const definition = load(
    saga(
      lines(
        '  start: { on: Started, key: event.id, compensate: { command: Refund, with: { id: start.id, reason: "failure.step + failure.message" } } }',
        '  cancel: { on: Stopped, key: event.id }',
        '  steps:',
        '    - { name: a, command: Assess, compensate: { command: Refund, with: { id: start.id, reason: "has(steps.b) ? steps.b.id : steps.a2.id" } }, with: { id: start.id } }',
        '    - { name: b, command: Ship, compensate: none, with: { id: start.id } }',
        '  complete: { emit: shop.Finished, with: { id: steps.a.id } }',
        '  abort: { emit: Finished, with: { id: "has(steps.b) ? steps.b.tracking : saga.revision" } }'
      )
    ).replace('steps.a2.id', 'failure.type')
  )
  const scope: Scope = {
    start: { id: 's1' },
    steps: { a: { id: 'a1' } },
    failure: { type: 'T', step: 'b', message: 'm' },
    saga: { name: 'test', key: 's1', revision: 'r1' }
  }
  const given = (template: Template | undefined) => template?.evaluate(scope)
  t.is(definition.cancel?.key.evaluate({ event: { id: 's1' } }), 's1')
  t.deepEqual(given(definition.start.compensate?.arguments), { id: 's1', reason: 'bm' })
  t.deepEqual(given(definition.steps[0]?.compensate?.arguments), { id: 's1', reason: 'T' })
  t.deepEqual(given(definition.complete?.arguments), { id: 'a1' })
  t.deepEqual(given(definition.abort?.arguments), { id: 'r1' })
  t.is(definition.complete?.eventFullName, 'test.shop.Finished')
})

test('what an API server adds to a resource does not matter', (t) => {
  const text = withSteps(`    - { name: a, command: Ship, compensate: none, with: { id: start.id } }\n`)
  const added = text.replace(
    'metadata: { name: test }',
    'metadata: { name: test, namespace: shop, labels: { a: b }, uid: 5f, generation: 3 }\nstatus: { anything: [1] }'
  )
  t.is(load(added).revision, load(text).revision)
})

test('a decision that the deadline forestalls is a warning', (t) => {
  const withPolicy = (policy: string, deadline = '5m') =>
    load(
      saga(
        lines(
          '  start: { on: Started, key: event.id }',
          `  deadline: ${deadline}`,
          '  steps:',
          `    - { name: a, command: Ship, compensate: none, timeout: 1m, ${policy}, with: { id: start.id } }`
        )
      )
    ).warnings.map(findingText)
  t.deepEqual(withPolicy('retry: { attempts: 5, backoff: 500ms, factor: 2, cap: 1s }, onUnknown: park'), [
    "s.yaml:8:135 steps[0].onUnknown: 'park' is never decided: 5 attempts take up to 304s, and the deadline of 5m comes first; lower the attempts, or raise the deadline"
  ])
  t.deepEqual(withPolicy('retry: { attempts: 5 }, onUnknown: retry'), [])
  t.deepEqual(withPolicy('retry: { attempts: 5 }'), [])
  t.deepEqual(withPolicy('retry: { attempts: 4 }, onUnknown: park'), [])
  t.deepEqual(withPolicy('retry: { attempts: 5 }, onUnknown: park', '305s'), [])
})

/** Each holds the unknown name `wrong` once, written in its own style. */
const styles: Readonly<Record<string, string>> = {
  plain: 'to: start.id + wrong',
  'plain over lines': 'to: start.id +\n          start.id  +   start.id\n          + wrong',
  'in single quotes': "to: '\"it''s \" + start.id + wrong'",
  'in single quotes over lines': "to: '''a''\n          +\n          wrong'",
  'in double quotes': 'to: "\'\\x41\\u00e9\\U0001F600😀\\"\' +\\n start.id + wrong"',
  'in double quotes over lines': 'to: "start.id \\\n          + start.id\n\n          + wrong"',
  'in double quotes with leading blanks': 'to: "  \\t wrong"',
  literal: 'to: |\n          start.id +\n            start.id\n          + wrong',
  'literal with an indicator': 'to: |2-\n          start.id\n          + wrong'.replace('|2-', '|-'),
  folded: 'to: >-\n          start.id +\n          start.id\n\n          + wrong'
}

for (const [style, field] of Object.entries(styles)) {
  test(`the place of a wrong name is exact in a value that is ${style}`, (t) => {
    const text = withSteps(
      lines(
        '    - name: a',
        '      command: Ship',
        '      compensate: none',
        '      with:',
        '        id: start.id',
        `        ${field}`
      )
    )
    const before = text.slice(0, text.indexOf('wrong')).split('\n')
    t.deepEqual(errorsOf(text), [
      `s.yaml:${before.length}:${before.at(-1)!.length + 1} steps[0].with.to: unknown name 'wrong'; known here: start, saga, steps; a text needs quotes of its own: "'wrong'"`
    ])
  })
}

const guide = fileOf('sagas/README.md').text

test('the saga in the guide is one, and its errors are those that users see', (t) => {
  const [, example] = /```yaml\n(.*?)```/s.exec(guide)!
  t.is(loadSaga({ path: 'README.md', text: example! }, shopContracts).name, 'express')
  const { path, text } = fileOf('sagas/order.yaml')
  const broken = text
    .replace('command: ReserveStock', 'command: ReservStock')
    .replace('orderId: start.orderId, lines', 'orderId: start.orderID, lines')
    .replace('        token: start.paymentToken\n', '')
  const error = t.throws(() => loadSaga({ path, text: broken }, shopContracts)) as ParcomoloError
  const errors = error.details['errors'] as readonly Finding[]
  t.is(errors.length, 3)
  for (const each of errors) t.true(guide.includes(findingText(each)), findingText(each))
})

test('the guide names every limit', (t) => {
  for (const { name, value, unit } of Object.values(sagaLimits)) {
    if (name === 'errorsMax') continue
    t.true(guide.includes(`\`${name}\``), name)
    t.true(guide.includes(unit === 'ms' ? `${value / 86_400_000}d` : `${value} ${unit}`), name)
  }
})

test('contracts name everything that a definition can use', (t) => {
  t.true(contracts.commandNames.includes('Take'))
  t.deepEqual(errorsOf(withSteps(`    - { name: a, command: Take, compensate: none }\n`)), [])
})

const refundedBy = (undo: string): string =>
  withSteps(`    - { name: a, command: Ship, with: { id: start.id }, compensate: ${undo} }\n`)

const mayBeRefused = '{ command: Charge, with: { id: start.id, cents: 5 } }'

test('an undo that may be refused says what then', (t) => {
  const refusal =
    "Charge may be rejected with Declined; add 'onRejection: park' to its 'compensate', so that an operator decides then, or undo it by a command without rejections"
  t.deepEqual(errorsOf(refundedBy(mayBeRefused)), [
    `s.yaml:7:80 steps[0].compensate.command: the undo of step 'a' may be refused: ${refusal}`
  ])
  const start = `  start: { on: Started, key: event.id, compensate: ${mayBeRefused} }\n  steps:\n`
  t.deepEqual(errorsOf(saga(`${start}    - { name: a, command: Ship, with: { id: start.id }, compensate: none }\n`)), [
    `s.yaml:5:63 start.compensate.command: the undo of the start may be refused: ${refusal}`
  ])
  t.deepEqual(errorsOf(refundedBy(mayBeRefused.replace(/ \}$/, ', onRejection: park }'))), [])
  t.deepEqual(errorsOf(refundedBy('{ command: Release, with: { id: start.id }, onRejection: park }')), [])
  t.deepEqual(errorsOf(refundedBy('{ command: Release, with: { id: start.id }, onRejection: compensate }')), [
    "s.yaml:7:126 steps[0].compensate.onRejection: 'compensate' is not one of the choices; expected 'park'"
  ])
})

test('what was published by a release with fewer rules stays loadable, with the same revision', (t) => {
  const text = refundedBy(mayBeRefused)
  const published = loadSaga({ path: 's.yaml', text }, contracts, { isPublished: true })
  t.is(published.warnings.length, 1)
  t.is(published.revision, load(refundedBy(mayBeRefused.replace(/ \}$/, ', onRejection: park }'))).revision)
})
