import { readFile, writeFile } from 'node:fs/promises'
import { testOnCluster, useCluster } from './cluster.ts'
import { openWorld } from './ports.ts'
import { has, participantFiles, smallSaga } from './resource.ts'
import { Stage } from './stage.ts'

const cluster = useCluster()

/** All that the operator needs, in its own namespace. */
const rules = [
  // `patch` is for the finalizers; the spec is never written.
  { apiGroups: ['parcomolo.io'], resources: ['sagas', 'participants'], verbs: ['get', 'list', 'watch', 'patch'] },
  { apiGroups: ['parcomolo.io'], resources: ['sagas/status', 'participants/status'], verbs: ['patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: ['parcomolo-operator'],
    verbs: ['get', 'update']
  },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] }
]

testOnCluster(
  'a service account with no more rights than these is enough, from the first look to the last',
  async (t) => {
    const world = await openWorld()
    t.teardown(() => world.close())
    const stage = await Stage.open(t, cluster)
    const { api } = cluster
    const { namespace } = stage
    const make = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const answer = await api.request('POST', path, { body })
      t.is(answer.status, 201, JSON.stringify(answer.body))
      return answer.body
    }
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
    await make(accounts, { metadata: { name: 'operator' } })
    await make(`${rbac}/roles`, { metadata: { name: 'operator' }, rules })
    await make(`${rbac}/rolebindings`, {
      metadata: { name: 'operator' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace }]
    })
    const { status } = (await make(`${accounts}/operator/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {}
    })) as { status: { token: string } }
    const kubeconfig = `${api.kubeconfig}-rights`
    const admin = await readFile(api.kubeconfig, 'utf8')
    await writeFile(kubeconfig, admin.replace(JSON.stringify(api.token), JSON.stringify(status.token)))

    await stage.applyFiles(...participantFiles)
    const operator = stage.operator(world, { kubeconfig })
    await operator.atWork
    await stage.applyUntil(smallSaga('allowed'), has('Ready'))
    await stage.applyUntil(
      { ...smallSaga('refused'), spec: { ...smallSaga('x').spec, deadline: '1ms' } },
      has('Stalled')
    )
    for (const name of ['allowed', 'refused']) await stage.delete('sagas', name)
    for (const name of ['allowed', 'refused']) await stage.until('sagas', name, (found) => found === undefined)
    await operator.stop()
    t.deepEqual(
      (await stage.events())
        .map(({ reason }) => reason)
        .filter((reason) => reason !== 'Accepted')
        .sort(),
      ['Invalid', 'Published', 'Retired']
    )
    t.deepEqual(stage.errors, [])
  }
)
