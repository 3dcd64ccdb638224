import type { ExecutionContext } from 'ava'
import { systemClock } from '../../../src/base/index.ts'
import { openPublisher } from '../../../src/orchestrator/index.ts'
import { runningCounts, sagas } from '../../../src/view/index.ts'
import { type RunningShop, startShop } from '../../helpers/running-shop.ts'
import { requestBody } from '../../e2e/shop-client.ts'
import { openWorld, type World } from './ports.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { condition, fileOf, has, participantFiles, type Resource, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'

const cluster = useCluster()

const openAtWork = async (t: ExecutionContext): Promise<{ stage: Stage; world: World }> => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  await stage.applyFiles(...participantFiles)
  await stage.operator(world).atWork
  return { stage, world }
}

const isGone = (found: Resource | undefined): boolean => found === undefined

testOnCluster('a saga that is deleted is retired at once, and goes when its last instance has ended', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('held'), has('Ready'))
  const { revision } = world.published[0]!
  world.runningNow = [
    { saga: 'held', revision, count: 1 },
    { saga: 'held', revision: '0123456789ab', count: 2 },
    { saga: 'other', revision, count: 9 }
  ]
  await stage.delete('sagas', 'held')
  const held = await stage.until<Resource>('sagas', 'held', has('Ready', 'False'))
  t.deepEqual(world.published.at(-1), { saga: 'held', revision, retired: true })
  const { reason, message } = condition(held, 'Reconciling')!
  t.is(reason, 'InstancesRunning')
  t.regex(
    message,
    new RegExp(
      `^3 instances still run \\(1 on revision ${revision}, 2 on revision 0123456789ab\\); .*kubectl patch saga held`
    )
  )
  t.is(held.status!.runningCount, 3)
  world.runningNow = new Error('the read model is away')
  await stage.until('sagas', 'held', (found) => condition(found, 'Ready')?.message.includes('is away') === true)
  world.runningNow = []
  await stage.until('sagas', 'held', isGone)
  t.is(world.published.length, 2)
  t.deepEqual(
    stage.errors.filter((error) => !error.includes('is away')),
    []
  )
})

testOnCluster('one instance that is seen late holds it still', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('late'), has('Ready'))
  let looks = 0
  Object.assign(world.running, {
    count: async () => (++looks === 2 ? [{ saga: 'late', revision: world.published[0]!.revision, count: 1 }] : [])
  })
  looks = 0
  await stage.delete('sagas', 'late')
  await stage.until('sagas', 'late', has('Ready', 'False'))
  await stage.until('sagas', 'late', isGone)
  t.true(looks >= 4)
})

testOnCluster('a saga that was never published goes at once, and one of the same name may come', async (t) => {
  const { stage, world } = await openAtWork(t)
  const bad = smallSaga('again')
  await stage.applyUntil({ ...bad, spec: { ...bad.spec, deadline: '1ms' } }, has('Stalled'))
  world.runningNow = new Error('the read model is away')
  await stage.delete('sagas', 'again')
  await stage.until('sagas', 'again', isGone)
  await stage.applyUntil(smallSaga('again'), has('Ready'))
  t.deepEqual(
    world.published.map(({ retired }) => retired),
    [false]
  )
})

testOnCluster('a saga that comes back after it was retired is in force again', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('back'), has('Ready'))
  await stage.delete('sagas', 'back')
  await stage.until('sagas', 'back', isGone)
  await stage.applyUntil(smallSaga('back'), has('Ready'))
  t.deepEqual(
    world.published.map(({ retired }) => retired),
    [false, true, false]
  )
})

testOnCluster('without its finalizer a saga goes at once, and is retired all the same', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('forced'), has('Ready'))
  world.runningNow = [{ saga: 'forced', revision: world.published[0]!.revision, count: 1 }]
  await stage.delete('sagas', 'forced')
  await stage.until('sagas', 'forced', has('Ready', 'False'))
  const { status } = await cluster.api.request('PATCH', stage.path('sagas', 'forced'), {
    contentType: 'application/merge-patch+json',
    body: { metadata: { finalizers: null } }
  })
  t.is(status, 200)
  await stage.until('sagas', 'forced', isGone)
  t.true((await world.definitions.newest('forced'))!.retired)
})

testOnCluster('a saga whose resource went while no operator ran is retired by the next one', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('orphan'), has('Ready'))
  const { source, yaml, revision } = (await world.definitions.newest('orphan'))!
  // As if it had been of another name, of a file, and of this namespace.
  await world.definitions.publish({ saga: 'orphan', revision, yaml, retired: false, source: 'sagas/orphan.yaml' })
  const gone = { yaml: yaml.replace('name: orphan', 'name: gone'), source: source.replace('/orphan', '/gone') }
  await world.definitions.publish({ ...gone, saga: 'gone', revision, retired: false })
  const other = { yaml: yaml.replace('name: orphan', 'name: file'), source: 'sagas/file.yaml' }
  await world.definitions.publish({ ...other, saga: 'file', revision, retired: false })
  await stage.operator(world, { identity: 'two', leaseName: 'another', namespace: stage.namespace }).atWork
  await stage.applyUntil(smallSaga('last'), has('Ready'))
  t.true((await world.definitions.newest('gone'))!.retired)
  t.false((await world.definitions.newest('file'))!.retired)
  t.false((await world.definitions.newest('orphan'))!.retired)
})

testOnCluster('a participant that sagas use is held, and the message names them', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(smallSaga('one'), has('Ready'))
  await stage.applyUntil(smallSaga('two'), has('Ready'))
  await stage.delete('participants', 'inventory')
  await stage.delete('participants', 'shipping')
  await stage.until('participants', 'shipping', isGone)
  const held = await stage.until<Resource>('participants', 'inventory', has('Ready', 'False'))
  t.is(condition(held, 'Reconciling')!.reason, 'InUse')
  t.is(
    condition(held, 'Reconciling')!.message,
    "saga 'one' uses 'ReleaseStock', 'ReserveStock'; saga 'two' uses 'ReleaseStock', 'ReserveStock'; " +
      'the participant goes when none does any more'
  )
  await stage.delete('sagas', 'one')
  await stage.until('participants', 'inventory', (found) => !condition(found, 'Ready')!.message.includes("'one'"))
  t.true('found' in world.participants.contracts().participant('inventory'))
  await stage.delete('sagas', 'two')
  await stage.until('participants', 'inventory', isGone)
  t.true('problem' in world.participants.contracts().participant('inventory'))
})

testOnCluster('with the shop running, a saga goes when its real instances have ended', async (t) => {
  const shop = await startShop('orchestration')
  t.teardown(() => shop.stop())
  const stage = await Stage.open(t, cluster)
  const ports = await portsOf(shop)
  await stage.operator(ports).atWork
  const { revision } = (await ports.definitions.newest('order'))!
  // What the shop follows already is taken over as it is.
  const saga = await stage.applyUntil(await fileOf('sagas/order.yaml'), has('Ready'))
  t.is(saga.status!.revision, revision)
  const headers = { 'content-type': 'application/json' }
  const placed = await shop.http.inject({ method: 'POST', url: '/orders', payload: requestBody('tok_slow'), headers })
  const { orderId } = placed.json<{ orderId: string }>()
  await stage.delete('sagas', 'order')
  const held = await stage.until<Resource>('sagas', 'order', (found) => found?.status?.runningCount === 1)
  t.regex(condition(held, 'Ready')!.message, /^1 instance still runs/)
  await stage.until('sagas', 'order', isGone)
  const seen = await shop.http.inject({ method: 'GET', url: `/orders/${orderId}?wait=10s` })
  t.is(seen.json<{ status: string }>().status, 'COMPLETED')
  t.is(shop.system.definitions.current('order'), undefined)
})

/** Of a shop that runs here with the participants of its files. */
const portsOf = async (
  shop: RunningShop
): Promise<Omit<World, 'published' | 'publishFaults' | 'runningNow' | 'close'>> => {
  const world = await openWorld()
  for (const path of participantFiles) {
    const participant = await fileOf(path)
    await world.participants.accept({
      name: participant.metadata.name,
      source: path,
      yaml: JSON.stringify(participant)
    })
  }
  await world.close()
  const publisher = await openPublisher(shop.log, shop.codec, systemClock)
  const { definitions } = shop.system
  return {
    participants: world.participants,
    running: { count: () => shop.view.count(sagas).then(runningCounts) },
    definitions: {
      newest: async (saga) => {
        await definitions.caughtUp()
        const newest = definitions.newest(saga)
        return newest
      },
      sagas: () => definitions.all().map(({ saga }) => saga),
      publish: (definition) => publisher.publish(definition)
    }
  }
}
