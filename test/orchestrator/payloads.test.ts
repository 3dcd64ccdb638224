import test, { type ExecutionContext } from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { learnSchemas, makeCodec, registerContracts } from '../../src/contract/index.ts'
import { ownRecords } from '../helpers/shop-parts.ts'
import { type System, type SystemDeps } from '../../src/main/system.ts'
import { contracts, type Said, Stage } from './stage.ts'

const orderId = 'o'

/** The answer in a schema of the participant's own, under a subject that no contract names. */
const awardedTomorrow = async ({ registry }: Stage): Promise<Uint8Array> => {
  const { fullName, schema } = contracts.all[0]!.records.get('PointsAwarded')!
  const fields = [...(schema['fields'] as object[]), { name: 'tier', type: 'string' }]
  const id = await registry.register('loyalty-events-value', { ...schema, fields })
  const codec = makeCodec([{ fullName, schema: { ...schema, fields }, id }])
  return codec.encode(fullName, { orderId, balance: 100, tier: 'gold' })
}

/** A saga whose second command, which the first answer has gone into, is under way. */
const opened = async (t: ExecutionContext, options: Partial<SystemDeps> = {}): Promise<[Stage, System]> => {
  const stage = await Stage.open(t)
  const system = await stage.run(options)
  await stage.publish(system)
  await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 4200 }), { orderId })
  const award = await stage.command('AwardPoints', orderId)
  await stage.say(0, await awardedTomorrow(stage), { orderId, answers: award })
  await stage.command('IssueVoucher', orderId)
  return [stage, system]
}

/** The second command as it is sent again when nobody has answered. */
const sentAgain = async (t: ExecutionContext, stage: Stage): Promise<void> => {
  const isAgain = ({ type, record }: Said): boolean => type === 'IssueVoucher' && record.headers['ce_attempt'] === '2'
  const ends = new Set(['SagaParked', 'CompensationStarted'])
  let again: Said | undefined
  while (again === undefined) {
    await stage.pass(500)
    t.deepEqual(
      (await stage.said('saga-events')).filter(({ type }) => ends.has(type)),
      []
    )
    again = (await stage.said('loyalty-commands')).find(isAgain)
  }
  t.deepEqual({ ...again.value }, { orderId, balance: 100 })
  t.deepEqual(stage.errors, [])
}

test('an answer that only the last owner could read is read by the next one', async (t) => {
  const [stage, first] = await opened(t)
  await first.stop()
  const second = await stage.run()
  await sentAgain(t, stage)
  await second.stop()
})

test('so it is where the instance comes from a snapshot', async (t) => {
  const [stage, first] = await opened(t, { taskLimits: { inputsPerSnapshot: 1, snapshotEveryMs: 1 } })
  const [task] = first.runners.get('orchestrator')!.tasks.values()
  await stage.until(() => task!.stats.snapshots > 2)
  await first.stop()
  const second = await stage.run()
  await sentAgain(t, stage)
  await second.stop()
})

test('a take-over waits for the registry where it has to learn such an answer', async (t) => {
  const [stage, first] = await opened(t)
  await first.stop()
  const codec = await registerContracts(stage.registry, contracts.all, ownRecords)
  let isAway = true
  const held: unknown[] = []
  const schema = async (id: number) => {
    if (!isAway) return stage.registry.schema(id)
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  }
  const starting = stage.run({
    codec,
    learn: (values) => learnSchemas(codec, { schema }, values),
    onHeldUp: (task, error) => held.push([task, error])
  })
  await stage.until(() => held.length > 0)
  await stage.pass(60_000)
  t.like(held, [['saga-events/0', { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' }]])
  isAway = false
  await stage.until(() => held.length > 1)
  const second = await starting
  await sentAgain(t, stage)
  await second.stop()
})
