import { performance } from 'node:perf_hooks'
import { openWorld } from './ports.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { has, participantFiles, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'

const sagaCount = 500

const cluster = useCluster()

testOnCluster(`${sagaCount} sagas come into force, each once, and an edit among them is as fast as ever`, async (t) => {
  t.timeout(150_000)
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  const names = Array.from({ length: sagaCount }, (_, i) => `saga-${i}`)
  for (let from = 0; from < names.length; from += 20)
    await Promise.all(names.slice(from, from + 20).map((name) => stage.apply(smallSaga(name))))
  await stage.applyFiles(...participantFiles)
  const startedAt = performance.now()
  const operator = stage.operator(world)
  const isReady = has('Ready')
  const readyCount = (): number => stage.all('sagas').filter(isReady).length
  await stage.when(
    () => readyCount() === sagaCount,
    () => `${readyCount()} are ready`,
    100_000
  )
  t.log(`all are in force after ${Math.round(performance.now() - startedAt)} ms`)
  t.is(world.published.length, sagaCount)
  t.is(new Set(world.published.map(({ saga }) => saga)).size, sagaCount)

  const editedAt = performance.now()
  await stage.applyUntil(smallSaga('saga-250', '2m'), isReady)
  t.true(performance.now() - editedAt < 1_000)

  await operator.stop()
  const versions = (): string[] => stage.all('sagas').map(({ metadata }) => metadata.resourceVersion)
  const before = versions()
  const restartedAt = performance.now()
  const next = stage.operator(world, { identity: 'two' })
  await next.atWork
  await stage.applyUntil(smallSaga('after-all'), isReady)
  t.log(`the next operator has looked at all of them after ${Math.round(performance.now() - restartedAt)} ms`)
  // What is in force stays as it is: nothing is written, nothing is published.
  t.deepEqual(versions().slice(0, sagaCount), before)
  t.is(world.published.length, sagaCount + 2)
  t.deepEqual(stage.errors, [])
})
