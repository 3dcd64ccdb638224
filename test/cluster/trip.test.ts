import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { run } from './commands.ts'
import { Release } from './release.ts'

const image = process.env['CLUSTER_IMAGE']
/** One that has Go and Python. */
const languages = process.env['CLUSTER_LANGUAGES_IMAGE']
const minutes = 60_000
const pollMs = 200

type Entry = { readonly type: string; readonly step?: string; readonly detail?: string }
type Instance = { readonly status?: string; readonly endedAt?: string | null; readonly timeline?: readonly Entry[] }

if (image === undefined || languages === undefined)
  test.skip('the trip in a cluster: CLUSTER_IMAGE or CLUSTER_LANGUAGES_IMAGE names no image', () => undefined)
else
  test('three services over HTTP, in three languages, run a trip in the cluster, and undo it', async (t) => {
    t.timeout(15 * minutes)
    const release = new Release('parcomolo-trip')
    t.teardown(() => release.close())
    await release.makeNamespace()
    await release.deploy('install', image, undefined, '--set', 'shop.enabled=false')

    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-trip-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'trip.yaml')
    const manifests = await run('kubectl', ['kustomize', 'manifests/trip'])
    await writeFile(file, manifests.replace(/docker\.io\/library\/(golang|python):\S+/g, languages))
    await release.kubectl('apply', '-f', file)
    for (const what of ['participant/flight', 'participant/car', 'participant/hotel', 'participant/desk', 'saga/trip'])
      await release.kubectl('wait', '--for=condition=Ready', '--timeout=60s', what)
    for (const service of ['flight', 'car', 'hotel'])
      await release.kubectl('rollout', 'status', `deployment/${service}`, '--timeout=300s')
    await release.forwardRest()

    const ask = async (tripId: string, nights: number): Promise<void> => {
      const answer = await fetch(`${release.url}/participants/desk/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'ce-id': `ask-${tripId}`, 'ce-type': 'TripRequested' },
        body: JSON.stringify({ tripId, traveller: 'Ann', to: 'Oslo', day: '2027-05-01', nights, withCar: true })
      })
      t.is(answer.status, 202, await answer.text())
    }
    const until = async (tripId: string, isThere: (instance: Instance) => boolean): Promise<Instance> => {
      for (;;) {
        const answer = await fetch(`${release.url}/sagas/trip/${tripId}`)
        const instance = (await answer.json()) as Instance
        if (answer.ok && isThere(instance)) return instance
        await wait(pollMs)
      }
    }
    const ended = ({ endedAt }: Instance): boolean => typeof endedAt === 'string'

    await ask('ann-1', 3)
    t.is((await until('ann-1', ended)).status, 'completed')
    await ask('ann-2', 20)
    const undone = await until('ann-2', ended)
    t.is(undone.status, 'compensated')
    t.deepEqual(
      undone.timeline!.filter(({ type }) => type === 'StepCompensated').map(({ step }) => step),
      ['car', 'flight']
    )

    // A service that is away for a while: its command waits, and is called again.
    await release.kubectl('scale', 'deployment/flight', '--replicas=0')
    await release.kubectl('wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/name=flight', '--timeout=60s')
    await ask('ann-3', 3)
    await until('ann-3', ({ timeline }) => timeline?.some(({ type }) => type === 'CallFailed') === true)
    await release.kubectl('scale', 'deployment/flight', '--replicas=1')
    t.is((await until('ann-3', ended)).status, 'completed')

    // They are not the release's: without the operator, nobody would let go of them.
    await release.kubectl('delete', '-f', file, '--timeout=60s')
  })
