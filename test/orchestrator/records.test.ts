import test from 'ava'
import type { ParcomoloError } from '../../src/base/index.ts'
import { makeCodec, registerContracts } from '../../src/contract/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { ownRecords, serviceNames, theShop } from '../helpers/shop-parts.ts'
import { Stage } from './stage.ts'

type Field = { readonly name: string; readonly type: unknown }

/** As another program writes it: under a schema of its own, which its serializer has registered. */
const foreign = async (
  stage: Stage,
  fullName: string,
  fields: readonly Field[],
  value: object
): Promise<Uint8Array> => {
  const at = fullName.lastIndexOf('.')
  const schema = { type: 'record', namespace: fullName.slice(0, at), name: fullName.slice(at + 1), fields }
  const id = await stage.registry.register(`elsewhere-${fullName}-${fields.length}`, schema)
  return makeCodec([{ fullName, schema, id }]).encode(fullName, value)
}

const orderId = { name: 'orderId', type: 'string' }

test('an answer counts whose schema resolves into the contract’s record, and no other of that name', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  await stage.say(0, stage.encode('OrderPaid', { orderId: 'o-1', totalCents: 500 }), { orderId: 'o-1' })
  const award = await stage.command('AwardPoints', 'o-1')
  const about = { orderId: 'o-1', answers: award }
  const evil = [orderId, { name: 'balance', type: 'string' }]
  await stage.say(0, await foreign(stage, 'org.evil.PointsAwarded', evil, { orderId: 'o-1', balance: '7' }), about)
  await stage.say(0, await foreign(stage, 'org.evil.PointsAwarded', [orderId], { orderId: 'o-1' }), about)
  const mine = [{ name: 'by', type: 'string' }, { name: 'balance', type: 'int' }, orderId]
  const value = { orderId: 'o-1', balance: 42, by: 'Ada' }
  await stage.say(0, await foreign(stage, 'com.mine.PointsAwarded', mine, value), about)
  const voucher = await stage.command('IssueVoucher', 'o-1')
  t.deepEqual({ ...voucher.value }, { orderId: 'o-1', balance: 42 })
  t.deepEqual(stage.errors, [])
  t.is([...system.runners.get('orchestrator')!.tasks.values()][0]!.stats.foreign, 2)
  await system.stop()
  const codec = await registerContracts(stage.registry, stage.contracts.all, ownRecords)
  const again = await stage.run({ codec })
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o-1' }), { orderId: 'o-1', answers: voucher })
  await stage.event('SagaCompleted', 'o-1')
  await again.stop()
})

test('a start event of another record begins nothing', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  await stage.say(0, await foreign(stage, 'org.evil.OrderPaid', [orderId], { orderId: 'o-1' }), { orderId: 'o-1' })
  await stage.say(0, stage.encode('OrderPaid', { orderId: 'o-2', totalCents: 500 }), { orderId: 'o-2' })
  await stage.event('SagaStarted', 'o-2')
  const started = (await stage.said('saga-events')).filter(({ type }) => type === 'SagaStarted')
  t.is(started.length, 1)
  await system.stop()
})

test('what bears the name of a command and is none is a dead letter of each service, which goes on', async (t) => {
  const contracts = await readContractFiles('sagas', theShop)
  const stage = await Stage.open(t, 1, contracts)
  const system = await stage.run({ roles: serviceNames })
  const commands = {
    order: 'PlaceOrder',
    inventory: 'ReserveStock',
    payment: 'ProcessPayment',
    shipping: 'ScheduleShipping'
  }
  const timestamp = stage.clock.now()
  for (const [service, command] of Object.entries(commands)) {
    const value = await foreign(stage, `org.acme.${command}`, [orderId], { orderId: 'o-1' })
    await stage.log.send([{ topic: `${service}-commands`, partition: 0, key: 'o-1', value, timestamp, headers: {} }])
  }
  const nulls = await foreign(stage, 'com.acme.ReserveStock', [orderId, { name: 'lines', type: ['null', 'string'] }], {
    orderId: 'o-2',
    lines: null
  })
  await stage.log.send([
    { topic: 'inventory-commands', partition: 0, key: 'o-2', value: nulls, timestamp, headers: {} }
  ])
  await stage.until(() => stage.errors.length === 5)
  t.true(stage.errors.every((error) => (error as ParcomoloError).code === 'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND'))
  const value = stage.codec.encode('parcomolo.inventory.SetStock', { sku: 'a', name: 'A', priceCents: 1, onHand: 1 })
  await stage.log.send([{ topic: 'inventory-commands', partition: 0, key: 'a', value, timestamp, headers: {} }])
  const events = async (): Promise<string[]> => (await stage.said('stock-events')).map(({ type }) => type)
  while (!(await events()).includes('StockSet')) await stage.pass(1)
  t.is(stage.errors.length, 5)
  t.deepEqual(await stage.said('order-events').then((said) => said.filter(({ type }) => type !== 'JournalMarker')), [])
  await system.stop()
})
