import test from 'ava'
import { type Contract, contractSet, readProtocolText } from '../../src/contract/index.ts'

const participant = (name: string, body: string, own: Partial<Contract> = {}): Contract => ({
  participant: name,
  inbox: `${name}-commands`,
  events: `${name}-events`,
  ...readProtocolText(`@namespace("shop.${name}") protocol P { ${body} }`),
  ...own
})

const stock = participant(
  'stock',
  `record Line { string sku; } record Reserve { Line line; } record Cancel { string id; } record Reserved { string id; }
   record Cancelled { string id; } record Low { string sku; } error Short { string sku; }
   Reserved reserve(Reserve command) throws Short; Cancelled cancel(Cancel command); void low(Low event) oneway;`
)
const travel = participant(
  'travel',
  `record Cancel { string id; } record Cancelled { string id; } record Book { string id; } record Booked { string id; }
   Cancelled cancel(Cancel command); Booked book(Book command);`
)
const set = contractSet([stock, travel])

test('a command is found by its short name with participant, operation and record', (t) => {
  const result = set.command('Reserve')
  t.true('found' in result)
  if (!('found' in result)) return
  t.is(result.found.contract, stock)
  t.deepEqual(result.found.operation.rejections, ['Short'])
  t.is(result.found.record.fullName, 'shop.stock.Reserve')
})

test('a command of two participants is found by its qualified and by its full name only', (t) => {
  t.deepEqual(set.command('Cancel'), {
    problem: "command 'Cancel' is ambiguous; expected 'stock.Cancel' or 'travel.Cancel'"
  })
  const qualified = set.command('travel.Cancel')
  t.is('found' in qualified ? qualified.found.contract : undefined, travel)
  const full = set.command('shop.stock.Cancel')
  t.is('found' in full ? full.found.contract : undefined, stock)
})

test('replies, rejections and one-way events are events, each with its topic', (t) => {
  for (const name of ['Reserved', 'Short', 'Low']) {
    const result = set.event(name)
    t.is('found' in result ? result.found.topic : undefined, 'stock-events')
  }
  t.deepEqual(set.event('Reserve'), { problem: "unknown event 'Reserve'; did you mean 'Reserved'?" })
})

test('an unknown name is answered with the nearest, else with those that there are', (t) => {
  t.deepEqual(set.command('Resevre'), { problem: "unknown command 'Resevre'; did you mean 'Reserve'?" })
  t.deepEqual(set.participant('stoc'), { problem: "unknown participant 'stoc'; did you mean 'stock'?" })
  t.deepEqual(set.command('Xylophone'), {
    problem: "unknown command 'Xylophone'; expected one of 'Reserve', 'stock.Cancel', 'travel.Cancel', 'Book'"
  })
  t.deepEqual(contractSet([]).command('Reserve'), { problem: "unknown command 'Reserve'; there is none" })
})

test('the names are short where they are unambiguous', (t) => {
  t.deepEqual(set.commandNames, ['Reserve', 'stock.Cancel', 'travel.Cancel', 'Book'])
  t.deepEqual(set.eventNames, ['Reserved', 'Short', 'stock.Cancelled', 'travel.Cancelled', 'Low', 'Booked'])
})

const conflict = test.macro({
  exec: (t, contracts: readonly Contract[], message: string) => {
    const error = t.throws(() => contractSet(contracts))
    t.like(error, {
      code: 'PARCOMOLO_CONTRACT_CONFLICT',
      message: `${message}; expected each participant to have its own`
    })
  },
  title: (what) => `${what} is a conflict`
})

test(
  'a name of two participants',
  conflict,
  [stock, { ...travel, participant: 'stock' }],
  "participant 'stock' belongs to the one in namespace 'shop.stock' and to the one in namespace 'shop.travel'"
)
test(
  'a namespace of two participants',
  conflict,
  [stock, { ...travel, namespace: 'shop.stock' }],
  "namespace 'shop.stock' belongs to participant 'stock' and to participant 'travel'"
)
test(
  'an inbox of two participants',
  conflict,
  [stock, { ...travel, inbox: 'stock-commands' }],
  "topic 'stock-commands' belongs to the inbox of participant 'stock' and to the inbox of participant 'travel'"
)
test(
  'an inbox that is the events topic of another',
  conflict,
  [stock, { ...travel, inbox: 'stock-events' }],
  "topic 'stock-events' belongs to the events of participant 'stock' and to the inbox of participant 'travel'"
)
