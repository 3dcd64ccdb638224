import test from 'ava'
import fc from 'fast-check'
import { accountBytesMin, Budget } from '../../src/base/index.ts'

const mebibyte = 2 ** 20

test('one account alone may hold a fifth, and many have even parts that leave room for one more (B3)', (t) => {
  const budget = new Budget(10 * mebibyte)
  const alone = budget.account('alone')
  while (alone.heldBytes < alone.bytesMax) alone.hold(1024)
  t.is(Math.round(alone.heldBytes / mebibyte), 2)

  const accounts = [alone, ...Array.from({ length: 40 }, (_, i) => budget.account(`reader ${i % 2}`))]
  // Each takes what it may and gives it back, in turns, as readers do.
  for (let turn = 0; turn < 60; turn++)
    for (const account of accounts) {
      account.clear()
      account.hold(account.bytesMax)
    }
  const held = accounts.map(({ heldBytes }) => heldBytes)
  t.true(Math.max(...held) < Math.min(...held) * 1.05)
  t.true(budget.heldBytes > 0.9 * budget.bytesMax && budget.heldBytes < budget.bytesMax)
})

test('an account that holds nothing may always have one batch (B4)', (t) => {
  const budget = new Budget(mebibyte)
  budget.account('full').hold(2 * mebibyte)
  t.is(budget.account('late').bytesMax, accountBytesMin)
})

test('what fills it is told by holder, and is nothing when all is given back', (t) => {
  const step = fc.record({ who: fc.nat(3), bytes: fc.nat(100_000), gives: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const budget = new Budget(mebibyte)
      const accounts = [0, 1, 2, 3].map((i) => budget.account(i < 2 ? 'a' : 'b'))
      for (const { who, bytes, gives } of steps) {
        if (gives) accounts[who]!.clear()
        else accounts[who]!.hold(bytes)
        const [a, b] = [budget.holders.get('a')!.heldBytes, budget.holders.get('b')!.heldBytes]
        t.is(a, accounts[0]!.heldBytes + accounts[1]!.heldBytes)
        t.is(a + b, budget.heldBytes)
      }
      for (const account of accounts) account.clear()
      t.is(budget.heldBytes, 0)
    })
  )
})
