import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { partitionOf } from '../../src/base/index.ts'
import { ForeignProcess } from './foreign-process.ts'
import { ForeignShop, missing, partitions, story } from './foreign-shop.ts'

const python = process.env['FOREIGN_PYTHON']
const reason = missing ?? (python === undefined ? 'FOREIGN_PYTHON names no Python' : undefined)

/** What the participant prints for each command: headers, command, and its answer. */
type Line = [headers: Record<string, string>, command: object, record: string, fields: Record<string, unknown>]

const opened = async (t: ExecutionContext): Promise<{ shop: ForeignShop; participant: ForeignProcess }> => {
  const shop = await ForeignShop.start(t, 'loyalty')
  const participant = new ForeignProcess(t, [python!, 'test/foreign/participant.py'], {
    ...shop.variables,
    LOYALTY_DATABASE: join(shop.folder, 'loyalty.sqlite')
  })
  participant.start()
  return { shop, participant }
}

const parsed = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line) as Line)

const rewarded = ['OrderPlaced', 'AwardPoints', 'PointsAwarded', 'IssueVoucher', 'VoucherIssued']

if (reason !== undefined) test.skip(`a participant in Python: ${reason}`, () => undefined)
else {
  test('a participant in Python answers a saga that was added as YAML only, and is undone', async (t) => {
    t.timeout(120_000)
    const { shop, participant } = await opened(t)
    const good = await shop.order('grace', 'lamp', 3)
    const goodSaga = await shop.ended('loyalty', good)
    t.is(goodSaga.status, 'completed')
    t.deepEqual(
      story(goodSaga).filter((word) => rewarded.includes(word)),
      rewarded
    )
    const poor = await shop.order('alan', 'book', 1)
    const poorSaga = await shop.ended('loyalty', poor)
    t.like(poorSaga, { status: 'compensated', failure: { type: 'TooFewPoints' } })
    t.is(story(poorSaga).filter((word) => word === 'RevokePoints').length, 1)

    const seen = parsed(await participant.printed(3, poor))
    t.deepEqual(
      seen.map(([, command, record, fields]) => [command, record, fields]),
      [
        [
          { orderId: poor, customerId: 'alan', points: 20 },
          'PointsAwarded',
          { orderId: poor, points: 20, balance: 20 }
        ],
        [{ orderId: poor, balance: 20 }, 'TooFewPoints', { orderId: poor, missing: 80 }],
        [{ orderId: poor }, 'PointsRevoked', { orderId: poor, points: 20 }]
      ]
    )
    const [headers] = seen[2]!
    t.like(headers, {
      ce_specversion: '1.0',
      ce_id: `loyalty/points!undo/${poor}`,
      ce_type: 'RevokePoints',
      ce_subject: poor,
      ce_correlationid: `loyalty/${poor}`
    })
    t.regex(headers['ce_source']!, /^\/saga-events\/\d$/)
    t.is(shop.process.errors, '')
  })

  test('killed again and again, it loses no command and does none twice', async (t) => {
    t.timeout(180_000)
    const { shop, participant } = await opened(t)
    const orders: string[] = []
    for (let round = 0; round < 3; round++) {
      // Each order is worth 135 points: enough for a voucher.
      orders.push(...(await Promise.all(Array.from({ length: 8 }, () => shop.order('grace', 'lamp', 3)))))
      await participant.printed(participant.lines.length + 3)
      await participant.restart()
    }
    for (const id of orders) t.is((await shop.ended('loyalty', id)).status, 'completed')
    const last = await shop.order('grace', 'lamp', 3)
    await shop.ended('loyalty', last)
    const [, , , fields] = parsed(await participant.printed(1, `"loyalty/points/${last}"`))[0]!
    t.is(fields['balance'], 135 * (orders.length + 1))

    const events = await shop.records('loyalty-events')
    const scattered = events.filter(({ key, partition }) => partition !== partitionOf(key, partitions))
    t.true(scattered.length > 0, 'its client has partitions of its own for keys, and every answer was seen')
    const answers = Map.groupBy(events, ({ headers }) => headers['ce_causationid'])
    for (const same of answers.values()) t.is(new Set(same.map(({ value }) => value.toString('hex'))).size, 1)
    t.is(answers.size, 2 * (orders.length + 1))
    const inbox = await shop.records('loyalty-commands')
    t.log(
      `${orders.length + 1} orders, ${inbox.length} commands with their repeats,`,
      `${[...answers.values()].flat().length} answers to ${answers.size} of them`
    )
  })

  test('a repeat gets the same answer, an undo of nothing is confirmed, a late command refused', async (t) => {
    t.timeout(120_000)
    const { shop, participant } = await opened(t)
    const id = await shop.order('grace', 'lamp', 3)
    await shop.ended('loyalty', id)
    const inbox = await shop.records('loyalty-commands')
    const award = inbox.find(({ headers }) => headers['ce_id'] === `loyalty/points/${id}`)!
    await participant.restart('SIGTERM')
    await shop.send('loyalty-commands', award)
    const [first, second] = await shop.answers('loyalty-events', `loyalty/points/${id}`, 2, participant)
    t.deepEqual(second, first)

    const poor = await shop.order('alan', 'book', 1)
    await shop.ended('loyalty', poor)
    const commands = await shop.records('loyalty-commands')
    const undo = commands.find(({ headers }) => headers['ce_id'] === `loyalty/points!undo/${poor}`)!
    const late = commands.find(({ headers }) => headers['ce_id'] === `loyalty/points/${poor}`)!
    await shop.send('loyalty-commands', late, { ce_id: 'late' })
    // Of an order that it has never heard of: a text of the same length stands for it in the same bytes.
    const unknown = poor.replaceAll(/./g, '0')
    const value = Buffer.from(undo.value.toString('latin1').replace(poor, unknown), 'latin1')
    await shop.send('loyalty-commands', { ...undo, value }, { ce_id: 'unheard-of' })
    const told = parsed([
      ...(await participant.printed(1, '"late"')),
      ...(await participant.printed(1, '"unheard-of"'))
    ])
    t.deepEqual(
      told.map(([, , record, fields]) => [record, fields]),
      [
        ['PointsClosed', { orderId: poor }],
        ['PointsRevoked', { orderId: unknown, points: 0 }]
      ]
    )
  })
}
