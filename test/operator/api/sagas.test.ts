import { performance } from 'node:perf_hooks'
import type { ExecutionContext } from 'ava'
import { ParcomoloError } from '../../../src/base/index.ts'
import { openWorld, type World } from './ports.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { condition, fileOf, has, participantFiles, type Resource, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'
import { serviceNames } from '../../helpers/shop-parts.ts'

const cluster = useCluster()

const open = async (t: ExecutionContext): Promise<{ stage: Stage; world: World }> => {
  const world = await openWorld()
  t.teardown(() => world.close())
  return { stage: await Stage.open(t, cluster), world }
}

/** With the shop's participants in force and an operator at work. */
const openAtWork = async (t: ExecutionContext) => {
  const { stage, world } = await open(t)
  await stage.applyFiles(...participantFiles)
  const operator = stage.operator(world)
  await operator.atWork
  for (const name of serviceNames) await stage.until('participants', name, has('Ready'))
  return { stage, world, operator }
}

testOnCluster("the shop's participants and its saga come into force, and say so", async (t) => {
  const { stage, world } = await open(t)
  await stage.applyFiles('sagas/order.yaml', ...participantFiles)
  const operator = stage.operator(world)
  const saga = await stage.until<Resource>('sagas', 'order', has('Ready'))
  t.is(world.published.length, 1)
  const { revision } = world.published[0]!
  t.like(saga.status, { revision, stepCount: 6, runningCount: 0, observedGeneration: 1 })
  t.deepEqual(saga.status!.running, [{ revision, count: 0, current: true }])
  t.is(condition(saga, 'Reconciling')!.status, 'False')
  t.is(condition(saga, 'Stalled')!.status, 'False')
  const inventory = await stage.until<Resource>('participants', 'inventory', has('Ready'))
  t.true(inventory.status!.operationCount! > 0)
  t.true(operator.health().ready.every(({ ok }) => ok))
  t.regex(operator.metrics(), /^parcomolo_operator_objects\{resource="participants"\} 4$/m)
  t.deepEqual(stage.errors, [])
})

testOnCluster('all conditions are there before anything is done, so that whoever waits knows what for', async (t) => {
  const { stage, world } = await openAtWork(t)
  const held = Promise.withResolvers<void>()
  const publish = world.definitions.publish.bind(world.definitions)
  Object.assign(world.definitions, { publish: () => held.promise })
  const appliedAt = performance.now()
  await stage.apply(smallSaga('held'))
  const saga = await stage.until<Resource>('sagas', 'held', has('Ready', 'Unknown'))
  t.true(performance.now() - appliedAt < 1000)
  t.deepEqual(
    saga.status!.conditions!.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Ready', 'Unknown', 'Pending'],
      ['Reconciling', 'True', 'Pending'],
      ['Stalled', 'Unknown', 'Pending']
    ]
  )
  Object.assign(world.definitions, { publish })
  held.resolve()
  await stage.until('sagas', 'held', has('Ready'))
})

testOnCluster('an edit takes effect within a second of the answer of the API server', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('edited', '1m'), has('Ready'))
  const times: number[] = []
  const publish = world.definitions.publish.bind(world.definitions)
  let publishedAt = 0
  Object.assign(world.definitions, {
    publish: async (definition: Parameters<typeof publish>[0]) => {
      await publish(definition)
      publishedAt = performance.now()
    }
  })
  for (let minutes = 2; minutes < 22; minutes++) {
    const { metadata } = await stage.apply(smallSaga('edited', `${minutes}m`))
    const answeredAt = performance.now()
    await stage.until('sagas', 'edited', (found) => found?.status?.observedGeneration === metadata.generation)
    times.push(publishedAt - answeredAt)
  }
  t.is(world.published.length, 21)
  times.sort((a, b) => a - b)
  t.log(`answer to published: median ${Math.round(times[10]!)} ms, worst ${Math.round(times[19]!)} ms`)
  t.true(times[19]! < 1000)
})

testOnCluster('the same YAML again, or a label, makes no revision', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.apply(smallSaga('same'))
  const before = await stage.until<Resource>('sagas', 'same', has('Ready'))
  const saga = smallSaga('same')
  await stage.apply(saga)
  await stage.apply({ ...saga, metadata: { ...saga.metadata!, labels: { team: 'a' } } as never })
  // The same meaning, said otherwise: a default that is written out.
  await stage.apply({ ...saga, spec: { ...saga.spec, deadline: '60m' } })
  const after = await stage.until<Resource>('sagas', 'same', (found) => found?.status?.observedGeneration === 2)
  t.is(after.status!.revision, before.status!.revision)
  t.is(world.published.length, 1)
  t.is(condition(after, 'Ready')!.lastTransitionTime, condition(before, 'Ready')!.lastTransitionTime)
})

testOnCluster('an edit back to an earlier text takes effect too', async (t) => {
  const { stage, world } = await openAtWork(t)
  for (const deadline of ['1m', '2m', '1m']) await stage.applyUntil(smallSaga('back', deadline), has('Ready'))

  const [first, second, third] = world.published.map(({ revision }) => revision)
  t.not(first, second)
  t.is(first, third)
})

testOnCluster(
  'a broken edit is shown with field and nearest name, and the running revision stays in force',
  async (t) => {
    const { stage, world, operator } = await openAtWork(t)
    const good = smallSaga('broken')
    await stage.apply(good)
    const { status } = await stage.until<Resource>('sagas', 'broken', has('Ready'))
    const [step] = good.spec!['steps'] as [Record<string, unknown>]
    const bad = { ...step, with: { orderID: 'start.orderId', lines: 'start.linse' } }
    await stage.apply({ ...good, spec: { ...good.spec, steps: [bad] } })
    const broken = await stage.until<Resource>('sagas', 'broken', has('Stalled'))
    t.is(condition(broken, 'Ready')!.status, 'False')
    const { reason, message } = condition(broken, 'Stalled')!
    t.is(reason, 'Invalid')
    t.is(condition(broken, 'Ready')!.message, message)
    t.regex(message, new RegExp(`^revision ${status!.revision!} stays in force, since the spec is refused:\n`))
    t.regex(message, /^spec\.steps\[0\]\.with\.lines: .*did you mean 'lines'\?$/m)
    t.regex(message, /^spec\.steps\[0\]\.with\.orderID: .*did you mean 'orderId'\?$/m)
    t.notRegex(message, /:\d+:\d+/)
    t.is(broken.status!.revision, status!.revision)
    t.is(broken.status!.stepCount, 1)
    t.is(world.published.length, 1)
    t.is((await world.definitions.newest('broken'))!.revision, status!.revision!)
    await stage.apply(good)
    await stage.until('sagas', 'broken', has('Ready'))
    t.is(world.published.length, 1)
    await operator.stop()
    const told = (await stage.events()).filter(({ regarding }) => regarding.name === 'broken')
    t.deepEqual(told.map(({ reason: why }) => why).sort(), ['Invalid', 'Published'])
  }
)

testOnCluster(
  'a saga that comes before its participants waits for them, and fails soon where none comes',
  async (t) => {
    const { stage, world } = await open(t)
    const operator = stage.operator(world)
    await operator.atWork
    const appliedAt = performance.now()
    await stage.applyFiles('sagas/order.yaml')
    await stage.apply(smallSaga('never'))
    const waiting = await stage.until<Resource>('sagas', 'order', has('Ready', 'False'))
    t.is(condition(waiting, 'Reconciling')!.reason, 'WaitingForParticipants')
    t.is(condition(waiting, 'Stalled')!.status, 'False')
    t.regex(condition(waiting, 'Ready')!.message, /^spec\.start\.on: unknown event 'OrderPlaced'/)
    await stage.applyFiles(...participantFiles.slice(0, 1), ...participantFiles.slice(2))
    await stage.until('sagas', 'never', has('Stalled'))
    t.true(performance.now() - appliedAt < 6_000)
    await stage.applyFiles(participantFiles[1]!)
    await Promise.all(['order', 'never'].map((name) => stage.until('sagas', name, has('Ready'))))
    t.deepEqual(stage.errors, [])
  }
)

testOnCluster('what cannot be published is tried again, and the status says so meanwhile', async (t) => {
  const { stage, world } = await openAtWork(t)
  const fault = new ParcomoloError('PARCOMOLO_LOG_UNREACHABLE', 'no broker answers', { retryable: true })
  world.publishFaults.push(...Array.from({ length: 4 }, () => fault))
  await stage.apply(smallSaga('late'))
  const late = await stage.until<Resource>('sagas', 'late', has('Ready', 'False'))
  t.like(condition(late, 'Reconciling'), { status: 'True', reason: 'Failing' })
  t.regex(condition(late, 'Ready')!.message, /could not be published: no broker answers$/)
  t.is(condition(late, 'Stalled')!.status, 'False')
  await stage.until('sagas', 'late', has('Ready'))
  t.is(stage.errors.length, 4)
  t.regex(stage.errors[0]!, /^saga 'late': ParcomoloError: no broker answers/)
})

testOnCluster("YAML 1.1's reading of 'on' is understood", async (t) => {
  const { stage, world } = await openAtWork(t)
  const saga = smallSaga('triggers')
  const { on, ...start } = saga.spec!['start'] as Record<string, unknown>
  await stage.applyUntil({ ...saga, spec: { ...saga.spec, start: { ...start, true: on } } }, has('Ready'))
  t.regex((await world.definitions.newest('triggers'))!.yaml, /^ {4}on: OrderPlaced$/m)
})

testOnCluster('what is published reads as a person would write it', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(await fileOf('sagas/order.yaml'), has('Ready'))
  const { yaml, source } = (await world.definitions.newest('order'))!
  t.is(source, `sagas.parcomolo.io/${stage.namespace}/order`)
  t.regex(
    yaml,
    /^apiVersion: parcomolo.io\/v1alpha1\nkind: Saga\nmetadata:\n {2}name: order\nspec:\n {2}start:\n {4}on: /
  )
  t.regex(yaml, /\n {4}- name: stock\n {6}command: ReserveStock\n {6}with:\n/)
})

testOnCluster('counts of running instances are shown, and stay while the read model is away', async (t) => {
  const { stage, world } = await open(t)
  await stage.applyFiles(...participantFiles)
  await stage.apply(smallSaga('counted'))
  world.runningNow = [
    { saga: 'counted', revision: '0123456789ab', count: 3 },
    { saga: 'other', revision: 'ba9876543210', count: 5 }
  ]
  const first = stage.operator(world)
  const counted = await stage.until<Resource>('sagas', 'counted', (found) => {
    return has('Ready')(found) && found?.status?.runningCount === 3
  })
  t.deepEqual(counted.status!.running, [
    { revision: counted.status!.revision!, count: 0, current: true },
    { revision: '0123456789ab', count: 3, current: false }
  ])
  await first.stop()
  world.runningNow = new Error('the read model is away')
  const second = stage.operator(world, { identity: 'two' })
  await second.atWork
  const edited = await stage.applyUntil(smallSaga('counted', '2m'), has('Ready'))
  t.is(edited.status!.runningCount, 3)
})
