import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { Reservation, Stock } from '../../src/shop/inventory/decider.ts'
import { catalogue, inventoryComponent } from '../../src/shop/inventory/index.ts'
import { holds, said, Stage, typesOf } from './stage.ts'

type Line = { sku: string; quantity: number }

/** 10 books and 3 lamps; `unicorn` is known but sold out, `ghost` is unknown. */
const openShop = (flow: 'orchestration' | 'choreography' = 'orchestration'): Stage<Stock | Reservation> => {
  const stage = new Stage(inventoryComponent(flow))
  stage.tell('SetStock', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 10 })
  stage.tell('SetStock', { sku: 'lamp', name: 'Lamp', priceCents: 4500, onHand: 3 })
  stage.tell('SetStock', { sku: 'unicorn', name: 'Unicorn', priceCents: 99_900, onHand: 0 })
  return stage
}

const lines = (...pairs: [string, number][]): Line[] => pairs.map(([sku, quantity]) => ({ sku, quantity }))
const reserve = (stage: Stage<unknown>, orderId: string, ...pairs: [string, number][]) =>
  said(stage.tell('ReserveStock', { orderId, lines: lines(...pairs) }))

/** [on hand, reserved] */
const levels = (stage: Stage<Stock | Reservation>, sku: string): [number, number] => {
  const stock = stage.entity(`stock/${sku}`) as Stock
  return [stock.onHand, stock.reserved]
}

test('an order reserves all of its lines', (t) => {
  const stage = openShop()
  const events = stage.tell('ReserveStock', { orderId: 'o1', lines: lines(['book', 2], ['lamp', 3]) }, { id: 'c1' })
  const value = { orderId: 'o1', lines: lines(['book', 2], ['lamp', 3]) }
  t.deepEqual(events, [{ key: 'o1', type: 'StockReserved', value, causationId: 'c1' }])
  t.deepEqual(
    [levels(stage, 'book'), levels(stage, 'lamp')],
    [
      [10, 2],
      [3, 3]
    ]
  )
})

test('an order that lacks one line reserves none', (t) => {
  const stage = openShop()
  t.deepEqual(reserve(stage, 'o1', ['book', 2], ['lamp', 4]), [
    { type: 'OutOfStock', value: { orderId: 'o1', skus: ['lamp'] } }
  ])
  t.deepEqual(
    [levels(stage, 'book'), levels(stage, 'lamp')],
    [
      [10, 0],
      [3, 0]
    ]
  )
})

test('a refusal names every SKU that is missing, once', (t) => {
  const events = reserve(openShop(), 'o1', ['unicorn', 1], ['book', 1], ['ghost', 1], ['lamp', 9], ['ghost', 2])
  t.deepEqual(events, [{ type: 'OutOfStock', value: { orderId: 'o1', skus: ['unicorn', 'ghost', 'lamp'] } }])
})

test('lines of the same SKU add up', (t) => {
  const stage = openShop()
  t.deepEqual(reserve(stage, 'o1', ['lamp', 2], ['lamp', 2]), [
    { type: 'OutOfStock', value: { orderId: 'o1', skus: ['lamp'] } }
  ])
  t.deepEqual(reserve(stage, 'o2', ['lamp', 1], ['book', 1], ['lamp', 2]), [
    { type: 'StockReserved', value: { orderId: 'o2', lines: lines(['lamp', 3], ['book', 1]) } }
  ])
})

test('what one order has reserved is out of stock for the next', (t) => {
  const stage = openShop()
  reserve(stage, 'o1', ['lamp', 3])
  t.deepEqual(reserve(stage, 'o2', ['lamp', 1]), [{ type: 'OutOfStock', value: { orderId: 'o2', skus: ['lamp'] } }])
  stage.tell('ReleaseStock', { orderId: 'o1' })
  t.deepEqual(reserve(stage, 'o3', ['lamp', 1]), [
    { type: 'StockReserved', value: { orderId: 'o3', lines: lines(['lamp', 1]) } }
  ])
})

test('a quantity below one is never in stock, nor does it make room for another line', (t) => {
  const stage = openShop()
  for (const quantity of [0, -1, -1_000_000]) {
    const orderId = `o${quantity}`
    t.deepEqual(typesOf(stage.tell('ReserveStock', { orderId, lines: lines(['book', quantity], ['book', 12]) })), [
      'OutOfStock'
    ])
  }
  t.deepEqual(levels(stage, 'book'), [10, 0])
})

test('more than a line can say is never in stock, however much there is', (t) => {
  const stage = openShop()
  stage.tell('SetStock', { sku: 'pin', name: 'Pin', priceCents: 1, onHand: 9_000_000_000 })
  const most = 2_147_483_647
  t.deepEqual(typesOf(stage.tell('ReserveStock', { orderId: 'o1', lines: lines(['pin', most], ['pin', 1]) })), [
    'OutOfStock'
  ])
  t.deepEqual(typesOf(stage.tell('ReserveStock', { orderId: 'o2', lines: lines(['pin', most]) })), ['StockReserved'])
})

test('the last one is sold once, however many ask', (t) => {
  const stage = new Stage(inventoryComponent('orchestration'))
  for (const item of catalogue) stage.tell('SetStock', item)
  const answers = Array.from({ length: 50 }, (_, i) => reserve(stage, `o${i}`, ['last-one', 1])).flat()
  t.is(answers.filter((answer) => (answer as { type: string }).type === 'StockReserved').length, 1)
  t.deepEqual(levels(stage, 'last-one'), [1, 1])
})

test('a release gives back exactly what is reserved', (t) => {
  const stage = openShop()
  reserve(stage, 'o1', ['book', 2], ['lamp', 1])
  reserve(stage, 'o2', ['book', 3])
  const released = said(stage.tell('ReleaseStock', { orderId: 'o1' }))
  t.deepEqual(released, [{ type: 'StockReleased', value: { orderId: 'o1', lines: lines(['book', 2], ['lamp', 1]) } }])
  t.deepEqual(
    [levels(stage, 'book'), levels(stage, 'lamp')],
    [
      [10, 3],
      [3, 0]
    ]
  )
})

test('a dispatch takes from both what is on hand and what is reserved', (t) => {
  const stage = openShop()
  reserve(stage, 'o1', ['book', 2])
  const dispatched = said(stage.tell('DispatchStock', { orderId: 'o1' }))
  t.deepEqual(dispatched, [{ type: 'StockDispatched', value: { orderId: 'o1', lines: lines(['book', 2]) } }])
  t.deepEqual(levels(stage, 'book'), [8, 0])
})

/** [commands before, command, event, its lines or SKUs]: none of these moves any stock. */
const stillAnswered: readonly [string[], string, string, unknown][] = [
  [['ReserveStock'], 'ReserveStock', 'StockReserved', []],
  [['ReserveStock', 'DispatchStock'], 'ReserveStock', 'StockReserved', []],
  [['ReserveStock', 'DispatchStock', 'ReleaseStock'], 'ReserveStock', 'StockReserved', []],
  [['ReserveStock', 'ReleaseStock'], 'ReserveStock', 'ReservationClosed', undefined],
  [['ReleaseStock'], 'ReserveStock', 'ReservationClosed', undefined],
  [['ReserveTooMuch'], 'ReserveStock', 'OutOfStock', ['lamp']],
  [['ReserveTooMuch', 'ReleaseStock'], 'ReserveStock', 'ReservationClosed', undefined],
  [[], 'ReleaseStock', 'StockReleased', []],
  [['ReserveTooMuch'], 'ReleaseStock', 'StockReleased', []],
  [['ReserveStock', 'ReleaseStock'], 'ReleaseStock', 'StockReleased', []],
  [['ReserveStock', 'DispatchStock'], 'ReleaseStock', 'StockReleased', []],
  [[], 'DispatchStock', 'StockDispatched', []],
  [['ReserveTooMuch'], 'DispatchStock', 'StockDispatched', []],
  [['ReserveStock', 'ReleaseStock'], 'DispatchStock', 'StockDispatched', []],
  [['ReserveStock', 'DispatchStock'], 'DispatchStock', 'StockDispatched', []]
]

for (const [before, command, event, rest] of stillAnswered) {
  test(`after ${before.join(', ') || 'nothing'}, ${command} is answered with ${event} and moves nothing`, (t) => {
    const stage = openShop()
    const tell = (type: string) => {
      const isTooMuch = type === 'ReserveTooMuch'
      const value = { orderId: 'o1', lines: lines(['book', 2], ['lamp', isTooMuch ? 4 : 1]) }
      return stage.tell(isTooMuch ? 'ReserveStock' : type, value)
    }
    for (const type of before) tell(type)
    const stock = [levels(stage, 'book'), levels(stage, 'lamp')]
    const [answer] = tell(command)
    t.is(answer?.type, event)
    t.deepEqual(answer?.value['lines'] ?? answer?.value['skus'], rest)
    t.deepEqual([levels(stage, 'book'), levels(stage, 'lamp')], stock)
  })
}

test('a dispatch of what was never reserved does not keep the order from reserving later', (t) => {
  const stage = openShop()
  stage.tell('DispatchStock', { orderId: 'o1' })
  t.deepEqual(reserve(stage, 'o1', ['book', 1]), [
    { type: 'StockReserved', value: { orderId: 'o1', lines: lines(['book', 1]) } }
  ])
})

test('stock can be set, but not below what is reserved', (t) => {
  const stage = openShop()
  reserve(stage, 'o1', ['book', 4])
  const item = { sku: 'book', name: 'Good book', priceCents: 2100 }
  t.deepEqual(stage.tell('SetStock', { ...item, onHand: 3 }, { id: 'c1' }), [
    { key: 'book', type: 'StockBelowReserved', value: { sku: 'book', onHand: 3, reserved: 4 }, causationId: 'c1' }
  ])
  t.deepEqual(levels(stage, 'book'), [10, 4])
  t.deepEqual(said(stage.tell('SetStock', { ...item, onHand: 4 })), [
    { type: 'StockSet', value: { ...item, onHand: 4, reserved: 4 } }
  ])
  t.deepEqual(levels(stage, 'book'), [4, 4])
  t.deepEqual(typesOf(stage.tell('SetStock', { sku: 'new', name: 'New', priceCents: 1, onHand: -1 })), [
    'StockBelowReserved'
  ])
  t.is(stage.entity('stock/new'), undefined)
})

test('a SetStock that comes twice does not bring back what has left in between', (t) => {
  const stage = openShop()
  const set = { sku: 'book', name: 'Book', priceCents: 2000, onHand: 5 }
  stage.tell('SetStock', set, { id: 'c1' })
  reserve(stage, 'o1', ['book', 2])
  stage.tell('DispatchStock', { orderId: 'o1' })
  t.deepEqual(said(stage.tell('SetStock', set, { id: 'c1' })), [
    { type: 'StockSet', value: { ...set, onHand: 3, reserved: 0 } }
  ])
  t.deepEqual(levels(stage, 'book'), [3, 0])
  t.deepEqual(said(stage.tell('SetStock', set, { id: 'c2' })), [{ type: 'StockSet', value: { ...set, reserved: 0 } }])
})

test('a reservation may leave memory once it is over; stock never does', (t) => {
  const stage = openShop()
  reserve(stage, 'held', ['book', 1])
  reserve(stage, 'sent', ['book', 1])
  stage.tell('DispatchStock', { orderId: 'sent' })
  stage.tell('ReleaseStock', { orderId: 'back' })
  reserve(stage, 'none', ['ghost', 1])
  const keys = ['order/held', 'order/sent', 'order/back', 'order/none', 'stock/book']
  t.deepEqual(
    keys.filter((key) => stage.hasEnded(key)),
    ['order/sent', 'order/back', 'order/none']
  )
})

test('an order that is called like a SKU is no SKU', (t) => {
  const stage = openShop()
  reserve(stage, 'book', ['book', 1])
  reserve(stage, 'stock/book', ['book', 1])
  t.deepEqual(levels(stage, 'book'), [10, 2])
})

test('in choreography a placed order is reserved, and a shipped one has left', (t) => {
  const stage = openShop('choreography')
  const placed = { orderId: 'o1', lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }] }
  const reserved = stage.tell('OrderPlaced', placed, { topic: 'order-events' })
  t.deepEqual(said(reserved), [{ type: 'StockReserved', value: { orderId: 'o1', lines: lines(['book', 2]) } }])
  const dispatched = stage.tell('ItemShipped', { orderId: 'o1', trackingNumber: 'T' }, { topic: 'shipping-events' })
  t.deepEqual(said(dispatched), [{ type: 'StockDispatched', value: { orderId: 'o1', lines: lines(['book', 2]) } }])
  t.deepEqual(levels(stage, 'book'), [8, 0])
})

test('in choreography a cancelled order gives back what it holds, once, and reserves nothing any more', (t) => {
  const stage = openShop('choreography')
  const hear = (type: string, orderId: string) =>
    stage.tell(
      type,
      { orderId, reason: '', lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }] },
      { topic: 'order-events' }
    )
  hear('OrderPlaced', 'o1')
  const released = (moved: Line[]) => [{ type: 'StockReleased', value: { orderId: 'o1', lines: moved } }]
  t.deepEqual(said(hear('OrderCancelled', 'o1')), released(lines(['book', 2])))
  t.deepEqual(said(hear('OrderCancelled', 'o1')), released([]))
  t.deepEqual(typesOf(hear('OrderPlaced', 'o1')), ['ReservationClosed'])
  t.deepEqual(levels(stage, 'book'), [10, 0])
})

test('in orchestration a placed order is left to the saga', (t) => {
  t.deepEqual(inventoryComponent('orchestration').reads, [])
  t.false(openShop().isFor('OrderPlaced', { orderId: 'o1', lines: [] }, 'order-events'))
})

const anySku = fc.constantFrom('a', 'b', 'ghost')
const anyOrder = fc.constantFrom('o1', 'o2', 'o3', 'o4', 'o5')
const anyLines = fc.array(fc.record({ sku: anySku, quantity: fc.integer({ min: -1, max: 4 }) }), { maxLength: 3 })
const anyCommand = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('ReserveStock' as const), orderId: anyOrder, lines: anyLines })
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('ReleaseStock' as const), orderId: anyOrder }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('DispatchStock' as const), orderId: anyOrder }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('SetStock' as const),
      sku: fc.constantFrom('a', 'b'),
      onHand: fc.integer({ min: -1, max: 12 })
    })
  }
)

test('whatever is asked, stock is conserved and nothing is promised that is not there', (t) => {
  const property = fc.property(fc.array(anyCommand, { maxLength: 50, size: 'max' }), (commands) => {
    const stage = new Stage(inventoryComponent('orchestration'))
    const books = new Books()
    for (const sku of ['a', 'b']) books.enter(stage.tell('SetStock', { sku, name: sku, priceCents: 1, onHand: 6 })[0]!)
    for (const { type, ...value } of commands) {
      const events = stage.tell(type, type === 'SetStock' ? { ...value, name: 'x', priceCents: 1 } : value)
      assert.equal(events.length, 1)
      if (type === 'ReserveStock') books.judge(value as { orderId: string; lines: Line[] }, events[0]!.type)
      books.enter(events[0]!)
      for (const sku of ['a', 'b']) {
        assert.deepEqual(levels(stage, sku), [books.onHand(sku), books.promised(sku)])
        assert.ok(books.promised(sku) >= 0 && books.promised(sku) <= books.onHand(sku))
      }
    }
    assert.equal(stage.refolded(), stage.state())
  })
  holds(t, property)
})

test('whatever has been asked, a repeat gets the same answer, moves nothing and changes nothing', (t) => {
  const property = fc.property(fc.array(anyCommand, { maxLength: 20, size: 'max' }), anyCommand, (commands, last) => {
    const stage = openShop()
    for (const [i, { type, ...value }] of [...commands, last, last].entries()) {
      const isLast = i >= commands.length
      const state = stage.state()
      const named = type === 'SetStock' ? { ...value, name: 'x', priceCents: 1 } : value
      const [event] = stage.tell(type, named, isLast ? { id: 'again' } : {})
      if (i <= commands.length) continue
      assert.equal(event!.type, stage.journal.at(-2)!.type)
      assert.deepEqual(event!.value['lines'] ?? [], [])
      assert.equal(stage.state(), state)
    }
  })
  holds(t, property)
})

/** An auditor's books, kept from what is said alone: per SKU what has come and gone, per order what it holds. */
class Books {
  readonly #onHand = new Map<string, number>()
  readonly #held = new Map<string, readonly Line[]>()
  readonly #closed = new Set<string>()

  onHand(sku: string): number {
    return this.#onHand.get(sku) ?? 0
  }

  promised(sku: string): number {
    return [...this.#held.values()].flat().reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
  }

  /** A first reservation is refused exactly when some SKU has less than is wanted of it. */
  judge({ orderId, lines }: { orderId: string; lines: readonly Line[] }, answer: string): void {
    if (this.#held.has(orderId) || this.#closed.has(orderId)) return
    const isServed = lines.every(({ sku, quantity }) => {
      const wanted = lines.reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
      return quantity > 0 && wanted <= this.onHand(sku) - this.promised(sku)
    })
    assert.equal(answer, isServed ? 'StockReserved' : 'OutOfStock')
  }

  enter({ type, value }: { type: string; value: Readonly<Record<string, unknown>> }): void {
    const orderId = value['orderId'] as string
    const moved = (value['lines'] ?? []) as readonly Line[]
    if (type === 'StockSet') this.#onHand.set(value['sku'] as string, value['onHand'] as number)
    if (type === 'StockReserved') this.#hold(orderId, moved)
    if (type === 'OutOfStock') this.#closed.add(orderId)
    if (type === 'StockReleased') this.#close(orderId, moved)
    if (type === 'StockDispatched' && this.#held.has(orderId)) this.#close(orderId, moved)
    if (type !== 'StockDispatched') return
    for (const { sku, quantity } of moved) this.#onHand.set(sku, this.onHand(sku) - quantity)
  }

  /** Whoever has or had a reservation gets nothing more. */
  #hold(orderId: string, moved: readonly Line[]): void {
    if (this.#held.has(orderId) || this.#closed.has(orderId)) assert.deepEqual(moved, [])
    else this.#held.set(orderId, moved)
  }

  /** What leaves a reservation is all of it, and nothing leaves where there is none. */
  #close(orderId: string, moved: readonly Line[]): void {
    assert.deepEqual(moved, this.#held.get(orderId) ?? [])
    this.#held.delete(orderId)
    this.#closed.add(orderId)
  }
}
