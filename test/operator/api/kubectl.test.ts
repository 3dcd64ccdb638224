import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { testOnCluster, useCluster } from './cluster.ts'
import { openWorld } from './ports.ts'
import { participantFiles, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'

const cluster = useCluster()

const run = promisify(execFile)

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
if (!hasKubectl) test.skip('kubectl is not in PATH', () => undefined)

const open = async (t: ExecutionContext) => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  const kubectl = async (...args: string[]): Promise<string> => {
    const { kubeconfig } = cluster.api
    const { stdout } = await run('kubectl', ['--kubeconfig', kubeconfig, '-n', stage.namespace, ...args])
    return stdout
  }
  return { stage, world, kubectl }
}

if (hasKubectl)
  testOnCluster('kubectl applies the files, waits for them, and shows how they stand', async (t) => {
    const { stage, world, kubectl } = await open(t)
    stage.operator(world)
    await kubectl('apply', ...participantFiles.flatMap((path) => ['-f', path]), '-f', 'sagas/order.yaml')
    await kubectl('wait', '--for=condition=Ready', '--timeout=10s', 'saga/order', 'participant/inventory')
    t.regex(await kubectl('get', 'sagas'), /^NAME +READY.*\norder +True +Published/)
    t.regex(await kubectl('get', 'sg', '-o', 'name'), /^saga\.parcomolo\.io\/order\n$/)
  })

if (hasKubectl)
  testOnCluster('kubectl wait ends soon for a broken saga, and describe says why', async (t) => {
    const { stage, world, kubectl } = await open(t)
    await stage.applyFiles(...participantFiles)
    await stage.operator(world).atWork
    const broken = smallSaga('broken')
    broken.spec!['start'] = { on: 'OrderPlacd', key: 'event.orderId' }
    const file = `${cluster.api.kubeconfig}-broken.json`
    await writeFile(file, JSON.stringify(broken))
    await kubectl('apply', '-f', file)
    await kubectl('wait', '--for=condition=Stalled', '--timeout=10s', 'saga/broken')
    const why = /spec\.start\.on: unknown event 'OrderPlacd'; did you mean 'OrderPlaced'\?/
    t.regex(await kubectl('describe', 'saga', 'broken'), why)
    t.regex(await kubectl('get', 'events', '--field-selector', 'reason=Invalid'), why)
    t.regex(await kubectl('get', 'saga', 'broken', '-o', 'wide'), /^broken +False +Invalid/m)
    broken.spec!['start'] = { on: 'OrderPlaced', key: 'event.orderId' }
    await writeFile(file, JSON.stringify(broken))
    await kubectl('apply', '-f', file)
    await kubectl('wait', '--for=condition=Ready', '--timeout=10s', 'saga/broken')
    await kubectl('delete', 'saga', 'broken', '--timeout=10s')
    t.is(await kubectl('get', 'sagas', '-o', 'name'), '')
  })
