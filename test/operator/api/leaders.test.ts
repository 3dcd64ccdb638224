import { performance } from 'node:perf_hooks'
import type { ExecutionContext } from 'ava'
import { openWorld, type World } from './ports.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { has, participantFiles, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'
import { startProxy } from './tcp-proxy.ts'

/** As in production, but sooner. */
const leaderTimes = { leaseMs: 3_000, renewMs: 2_000, retryMs: 300 }

const cluster = useCluster()

const open = async (t: ExecutionContext): Promise<{ stage: Stage; world: World }> => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  await stage.applyFiles(...participantFiles)
  return { stage, world }
}

/** The ports of a process by itself, with a note of who has published what. */
const portsOf = (world: World, who: string, log: string[]): World => ({
  ...world,
  definitions: {
    ...world.definitions,
    publish: async (definition) => {
      log.push(`${who} ${definition.saga}`)
      await world.definitions.publish(definition)
    }
  }
})

testOnCluster('of two operators one works, and what it has begun the other goes on with', async (t) => {
  const { stage, world } = await open(t)
  const log: string[] = []
  const one = stage.operator(portsOf(world, 'one', log), { identity: 'one', leaderTimes })
  await one.atWork
  const two = stage.operator(portsOf(world, 'two', log), { identity: 'two', leaderTimes })
  await stage.applyUntil(smallSaga('first'), has('Ready'))
  t.deepEqual([one.isLeader, two.isLeader], [true, false])
  t.true(two.health().ready.every(({ ok }) => ok))
  const stoppedAt = performance.now()
  await one.stop()
  const edited = stage.applyUntil(smallSaga('first', '2m'), has('Ready'))
  await two.atWork
  await edited
  t.true(performance.now() - stoppedAt < 1_500)
  await stage.applyUntil(smallSaga('second'), has('Ready'))
  t.deepEqual(log, ['one first', 'two first', 'two second'])
  t.deepEqual(stage.errors, [])
})

testOnCluster('three that start at once publish everything once', async (t) => {
  const { stage, world } = await open(t)
  const log: string[] = []
  for (let i = 0; i < 20; i++) await stage.apply(smallSaga(`saga-${i}`))
  const all = ['one', 'two', 'three'].map((identity) =>
    stage.operator(portsOf(world, identity, log), { identity, leaderTimes })
  )
  for (let i = 0; i < 20; i++) await stage.until('sagas', `saga-${i}`, has('Ready'))
  t.is(all.filter(({ isLeader }) => isLeader).length, 1)
  t.is(log.length, 20)
  t.is(new Set(log).size, 20)
})

testOnCluster('a leader that is cut off says so and stops before the other one begins', async (t) => {
  const { stage, world } = await open(t)
  const log: string[] = []
  const proxy = await startProxy(cluster.api, stage.namespace)
  t.teardown(() => proxy.stop())
  const { kubeconfig } = proxy
  const one = stage.operator(portsOf(world, 'one', log), { identity: 'one', leaderTimes, kubeconfig })
  await one.atWork
  await stage.applyUntil(smallSaga('cut'), has('Ready'))
  const two = stage.operator(portsOf(world, 'two', log), { identity: 'two', leaderTimes })
  proxy.close()
  const order: string[] = []
  const lost = one.lost.then((error) => {
    order.push('lost')
    return error
  })
  const taken = two.atWork.then(() => order.push('taken'))
  t.like(await lost, { code: 'PARCOMOLO_OPERATOR_LEADERSHIP_LOST' })
  await taken
  t.deepEqual(order, ['lost', 'taken'])
  await stage.applyUntil(smallSaga('cut', '2m'), has('Ready'))
  // The first one reaches the server again, and does nothing any more.
  proxy.open()
  await stage.applyUntil(smallSaga('cut', '3m'), has('Ready'))
  t.deepEqual(log, ['one cut', 'two cut', 'two cut'])
})

testOnCluster('whoever takes the lease by force is obeyed', async (t) => {
  const { stage, world } = await open(t)
  const one = stage.operator(world, { identity: 'one', leaderTimes })
  await one.atWork
  const path = `/apis/coordination.k8s.io/v1/namespaces/${stage.namespace}/leases/parcomolo-operator`
  const { status } = await cluster.api.request('PATCH', path, {
    contentType: 'application/merge-patch+json',
    body: { spec: { holderIdentity: 'somebody' } }
  })
  t.is(status, 200)
  t.regex((await one.lost).message, /^'one' does not lead any more: the lease is held by 'somebody';/)
  t.false(one.isLeader)
})
