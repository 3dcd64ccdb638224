import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { OutgoingCommand } from '../../src/http/index.ts'
import { fillCatalogue, fillCatalogueBehind } from '../../src/shop/shelves.ts'
import type { ViewRecord } from '../../src/view/index.ts'
import { Waiters } from '../../src/view/waiters.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

/** A view that knows these SKUs, an inventory that answers or not, and a log that takes what it is given or not. */
const stage = () => {
  const clock = new VirtualClock(0)
  const waiters = new Waiters(clock, 10)
  const shop = { known: new Set<string>(), answers: true, refused: new Set<string>(), sent: [] as string[] }
  const view = {
    stock: async (sku: string) => (shop.known.has(sku) ? { sku } : undefined),
    whenAnswered: (id: string, timeoutMs: number) => waiters.answer(id, timeoutMs)
  }
  const sendCommand = async ({ key, id }: OutgoingCommand): Promise<void> => {
    if (shop.refused.has(key)) throw new ParcomoloError('PARCOMOLO_LOG_FULL', 'on purpose', { retryable: true })
    shop.sent.push(key)
    if (shop.answers) waiters.onAnswer({ causationId: id } as ViewRecord)
  }
  return { clock, waiters, shop, view, sendCommand }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => void setImmediate(resolve))
}
const catalogue = ['book', 'lamp', 'unicorn', 'last-one']

test('what is known is left as it is, and the rest is put on the shelves', async (t) => {
  const { shop, view, sendCommand } = stage()
  shop.known.add('lamp')
  t.deepEqual(await fillCatalogue(view, sendCommand), [])
  t.deepEqual(shop.sent, ['book', 'unicorn', 'last-one'])
})

test('an inventory that does not answer is not waited for beyond a bound', async (t) => {
  const { clock, shop, view, sendCommand } = stage()
  shop.answers = false
  const filling = fillCatalogue(view, sendCommand)
  await turns()
  clock.advance(10_000)
  t.deepEqual(await filling, catalogue)
})

test('a log that does not take the commands fails the filling, and nobody waits for answers any more', async (t) => {
  const { waiters, shop, view, sendCommand } = stage()
  shop.refused.add('lamp')
  await t.throwsAsync(fillCatalogue(view, sendCommand), { code: 'PARCOMOLO_LOG_FULL' })
  t.is(waiters.count, 0)
})

test('behind the start it is tried until the log has taken each command, and each is sent once', async (t) => {
  const { clock, shop, view, sendCommand } = stage()
  const [waited, errors] = [[] as (readonly string[])[], [] as unknown[]]
  shop.answers = false
  shop.refused.add('lamp')
  const giveUp = fillCatalogueBehind({
    ...{ view, sendCommand, clock },
    onWaiting: (skus) => void waited.push(skus),
    onError: (error) => void errors.push(error)
  })
  await turns()
  clock.advance(10_000)
  await turns()
  t.is(errors.length, 1)
  shop.refused.clear()
  clock.advance(5_000)
  await turns()
  t.deepEqual(shop.sent, ['book', 'unicorn', 'last-one', 'lamp'])
  clock.advance(10_000)
  await turns()
  t.deepEqual(waited, [['lamp']])
  clock.advance(60_000)
  await turns()
  t.is(shop.sent.length, 4)
  giveUp()
})

test('who gives up is told nothing more, and sends nothing more', async (t) => {
  const { clock, waiters, shop, view, sendCommand } = stage()
  const told: unknown[] = []
  const begin = () =>
    fillCatalogueBehind({
      ...{ view, sendCommand, clock },
      onWaiting: (skus) => void told.push(skus),
      onError: (error) => void told.push(error)
    })
  shop.answers = false
  const giveUpWaiting = begin()
  await turns()
  giveUpWaiting()
  waiters.end()
  await turns()
  for (const sku of catalogue) shop.refused.add(sku)
  const giveUpTrying = begin()
  await turns()
  t.is(told.length, 1)
  giveUpTrying()
  shop.refused.clear()
  clock.advance(60_000)
  await turns()
  t.is(shop.sent.length, 4)
  t.is(told.length, 1)
})
