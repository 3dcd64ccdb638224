import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ForeignProcess } from './foreign-process.ts'
import { ForeignShop, missing, story } from './foreign-shop.ts'

const hasTools = ['kcat', 'curl'].every((tool) => spawnSync(tool, ['-V']).error === undefined)
const reason = missing ?? (hasTools ? undefined : 'kcat and curl are not both on PATH')

const opened = async (
  t: ExecutionContext,
  cards: number
): Promise<{ shop: ForeignShop; participant: ForeignProcess }> => {
  const shop = await ForeignShop.start(t, 'gift')
  const participant = new ForeignProcess(t, ['test/foreign/participant.sh'], {
    ...shop.variables,
    GIFT_STATE: join(shop.folder, 'gift'),
    GIFT_CARDS: String(cards)
  })
  participant.start()
  return { shop, participant }
}

if (reason !== undefined) test.skip(`a participant made of kcat: ${reason}`, () => undefined)
else {
  test('a participant made of kcat answers a saga that was added as YAML only, and is undone', async (t) => {
    t.timeout(120_000)
    const { shop, participant } = await opened(t, 1)
    const first = await shop.order('grace', 'book', 1)
    const wrapped = await shop.ended('gift', first)
    t.is(wrapped.status, 'completed')
    const words = ['OrderPlaced', 'WrapGift', 'GiftWrapped', 'AddCard', 'CardAdded']
    t.deepEqual(
      story(wrapped).filter((word) => words.includes(word)),
      words
    )
    const second = await shop.order('grace', 'book', 1)
    t.like(await shop.ended('gift', second), { status: 'compensated', failure: { type: 'NoCardLeft' } })

    // Headers as kcat prints them: a name, '=' and a value each, with commas between.
    const undo = (await participant.printed(1, `ce_id=gift/wrap!undo/${second},`))[0]!
    t.true(undo.startsWith('GiftUnwrapped\t'))
    for (const header of [
      'ce_specversion=1.0',
      'ce_type=UnwrapGift',
      `ce_subject=${second}`,
      `ce_correlationid=gift/${second}`
    ]) {
      t.true(undo.includes(`,${header},`), header)
    }
    t.regex(undo, /,ce_source=\/saga-events\/\d,/)
    t.is(shop.process.errors, '')
  })

  test('killed in between, the participant made of kcat loses no command, and keeps to its answers', async (t) => {
    t.timeout(180_000)
    const { shop, participant } = await opened(t, 3)
    const some = (): Promise<string[]> => Promise.all(Array.from({ length: 4 }, () => shop.order('grace', 'book', 1)))
    const orders = await some()
    await participant.printed(2)
    await participant.restart()
    orders.push(...(await some()))
    const outcomes: string[] = []
    for (const id of orders) outcomes.push((await shop.ended('gift', id)).status)
    t.deepEqual(outcomes.toSorted(), [...Array<string>(5).fill('compensated'), ...Array<string>(3).fill('completed')])

    const wraps = (await shop.records('gift-commands')).filter(({ headers }) => headers['ce_type'] === 'WrapGift')
    const undone = wraps.find(({ key }) => key === orders[outcomes.indexOf('compensated')])!
    const id = undone.headers['ce_id']!
    const before = (await shop.answers('gift-events', id, 1, participant)).length
    await shop.send('gift-commands', undone)
    const answers = await shop.answers('gift-events', id, before + 1, participant)
    t.is(new Set(answers.map(({ value }) => value.toString('hex'))).size, 1)
    await shop.send('gift-commands', undone, { ce_id: 'late' })
    t.true((await participant.printed(1, ',ce_id=late,'))[0]!.startsWith('GiftClosed\t'))
  })
}
