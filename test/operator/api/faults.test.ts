import { performance } from 'node:perf_hooks'
import type { ExecutionContext } from 'ava'
import { systemClock } from '../../../src/base/index.ts'
import { openWorld } from './ports.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { condition, has, participantFiles, type Resource, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'
import { startProxy } from './tcp-proxy.ts'

const cluster = useCluster()

const open = async (t: ExecutionContext) => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  await stage.applyFiles(...participantFiles)
  const proxy = await startProxy(cluster.api, stage.namespace)
  t.teardown(() => proxy.stop())
  const operator = stage.operator(world, { kubeconfig: proxy.kubeconfig })
  await operator.atWork
  await stage.applyUntil(smallSaga('cut', '1m'), has('Ready'))
  return { stage, world, proxy, operator }
}

testOnCluster('a watch that is cut is opened again at once, and no edit is missed', async (t) => {
  const { stage, proxy } = await open(t)
  proxy.cut()
  const cutAt = performance.now()
  await stage.applyUntil(smallSaga('cut', '2m'), has('Ready'))
  t.true(performance.now() - cutAt < 1_000)
  for (let minutes = 3; minutes < 6; minutes++) {
    proxy.cut()
    await stage.applyUntil(smallSaga('cut', `${minutes}m`), has('Ready'))
  }
  t.true(stage.errors.length > 0)
  t.deepEqual(
    stage.errors.filter((error) => !/PARCOMOLO|the API server gives no answer/.test(error)),
    []
  )
})

testOnCluster('what happened while the API server was away is found when it is back', async (t) => {
  const { stage, world, proxy } = await open(t)
  await stage.applyUntil(smallSaga('going', '1m'), has('Ready'))
  proxy.close()
  const edited = await stage.apply(smallSaga('cut', '2m'))
  await stage.apply(smallSaga('coming', '1m'))
  await stage.delete('sagas', 'going')
  await stage.when(
    () => stage.errors.length > 3,
    () => stage.errors.join('\n')
  )
  t.is((await stage.get('sagas', 'cut'))!.status!.observedGeneration, edited.metadata.generation - 1)
  proxy.open()
  await stage.until('sagas', 'cut', has('Ready'))
  await stage.until('sagas', 'coming', has('Ready'))
  await stage.until('sagas', 'going', (found) => found === undefined)
  t.true((await world.definitions.newest('going'))!.retired)
})

testOnCluster(
  'a version that the API server has forgotten, after its restart, is answered by reading all again',
  async (t) => {
    const { stage, proxy, operator } = await open(t)
    const listsBefore = countOf(operator.metrics(), 'lists_total', 'sagas')
    proxy.close()
    for (let minutes = 2; minutes < 5; minutes++) await stage.apply(smallSaga('cut', `${minutes}m`))
    const last = await stage.apply(smallSaga('cut', '5m'))
    await stage.apply(smallSaga('coming', '1m'))
    await cluster.api.compact()
    await cluster.api.restart()
    proxy.open()
    // The server has taken a while to come back, so both are asking more rarely by now. A write of a status may bring
    // the edit before the list does, but only the list brings a saga that the operator has never seen.
    const isSeen = (found: Resource | undefined): boolean =>
      found?.status?.observedGeneration === last.metadata.generation
    await stage.until('sagas', 'coming', has('Ready'), 30_000)
    await stage.until('sagas', 'cut', isSeen)
    t.is(countOf(operator.metrics(), 'lists_total', 'sagas'), listsBefore + 1)
    t.true(
      stage.errors.some((error) => /410/.test(error)),
      stage.errors.join('\n')
    )
    await stage.applyUntil(smallSaga('cut', '6m'), has('Ready'))
  }
)

testOnCluster('others who write the same resources all the time are no hindrance, and are not undone', async (t) => {
  const { stage, world } = await open(t)
  const names = Array.from({ length: 10 }, (_, i) => `busy-${i}`)
  const label = async (name: string, round: number): Promise<void> => {
    const body = {
      metadata: {
        labels: { round: String(round) },
        finalizers: ['test.example/mine', 'parcomolo.io/running-instances']
      }
    }
    await cluster.api.request('PATCH', stage.path('sagas', name), { body, contentType: 'application/merge-patch+json' })
    const status = { conditions: [{ ...foreign, observedGeneration: round }] }
    await cluster.api.request('PATCH', `${stage.path('sagas', name, 'status')}?fieldManager=other`, {
      body: { apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', metadata: { name }, status },
      contentType: 'application/apply-patch+yaml'
    })
  }
  const busy = names.map(async (name) => {
    await stage.apply(smallSaga(name, '1m'))
    for (let round = 0; round < 10; round++) {
      await label(name, round)
      if (round % 5 === 0) await stage.apply(smallSaga(name, `${round + 2}m`))
    }
  })
  await Promise.all(busy)
  for (const name of names) {
    const saga = await stage.until('sagas', name, has('Ready'))
    t.deepEqual([...saga!.metadata.finalizers!].sort(), ['parcomolo.io/running-instances', 'test.example/mine'])
    t.like(condition(saga, 'Foreign'), { status: 'True', reason: 'Theirs' })
    t.is((await world.definitions.newest(name))!.revision, saga!.status!.revision!)
  }
  t.deepEqual(stage.errors, [])
})

testOnCluster('a connection that leads nowhere any more is left for another, and the lead is kept', async (t) => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  await stage.applyFiles(...participantFiles)
  const proxy = await startProxy(cluster.api, stage.namespace)
  t.teardown(() => proxy.stop())
  // Ten times as fast, so that what takes ten seconds is seen in one.
  const startedAt = Date.now()
  const now = (): number => startedAt + (Date.now() - startedAt) * 10
  const at = (atMs: number, call: () => void) => systemClock.at(Date.now() + (atMs - now()) / 10, call)
  const operator = stage.operator(world, { kubeconfig: proxy.kubeconfig, clock: { now, elapsed: now, at } })
  await operator.atWork
  await stage.applyUntil(smallSaga('held', '1m'), has('Ready'))
  proxy.hold()
  await stage.applyUntil(smallSaga('held', '2m'), has('Ready'), 4_000)
  t.true(operator.isLeader)
  t.true(
    stage.errors.some((error) => error.includes('it has taken longer than 5000 ms')),
    stage.errors.join('\n')
  )
})

testOnCluster('requests share a few connections', async (t) => {
  const { stage, proxy } = await open(t)
  for (let i = 0; i < 20; i++) await stage.apply(smallSaga(`many-${i}`))
  for (let i = 0; i < 20; i++) await stage.until('sagas', `many-${i}`, has('Ready'))
  t.true(proxy.connectionCount <= 3, `${proxy.connectionCount} connections`)
})

const foreign = {
  type: 'Foreign',
  status: 'True',
  reason: 'Theirs',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z'
}

const countOf = (metrics: string, name: string, resource: string): number =>
  Number(new RegExp(`^parcomolo_operator_${name}\\{resource="${resource}"\\} (\\d+)$`, 'm').exec(metrics)![1])
