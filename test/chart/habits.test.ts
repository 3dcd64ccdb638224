/** What people write for other charts, and take for granted here. */
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { hasHelm, helm, rendered, type Values } from './helm.ts'
import { named, podOf, podsIn, render, roles, specOf, workload, workloadsIn } from './parts.ts'
import { type Resource, resourcesIn } from './plain-manifests.ts'
import { variants } from './variants.ts'

if (!hasHelm) test.skip('what people write for other charts: there is no helm in PATH', () => undefined)
else {
  testParts()
  testPods()
  testSpread()
  testDoors()
  testStrangers()
}

const chart = join(import.meta.dirname, '../../charts/parcomolo')

/** What a chart of somebody's own makes, that has this one in its folder as `cp -r` brings it there. */
const umbrella = async (parcomolo: Values): Promise<readonly Resource[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-umbrella-'))
  const dependency = { name: 'parcomolo', version: '0.1.0', condition: 'parcomolo.enabled' }
  const own = { apiVersion: 'v2', name: 'shop', version: '0.1.0', dependencies: [dependency] }
  try {
    await cp(chart, join(folder, 'charts/parcomolo'), { recursive: true, verbatimSymlinks: true })
    await writeFile(join(folder, 'Chart.yaml'), JSON.stringify(own))
    await writeFile(join(folder, 'values.yaml'), JSON.stringify({ parcomolo }))
    return resourcesIn(await helm('template', 'shop', folder))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const imagesOf = (resources: readonly Resource[]): string[] => [
  ...new Set(podsIn(resources).flatMap(({ containers }) => containers.map(({ image }) => image)))
]

function testParts(): void {
  test('a chart that has this one as a dependency can take it away by a condition', async (t) => {
    t.deepEqual(await umbrella({ enabled: false }), [])
    t.true((await umbrella({ enabled: true })).length > 40)
  })

  test('what a chart copied without following links installs has the sagas, too', async (t) => {
    const resources = await umbrella({ enabled: true })
    t.deepEqual(named(resources, 'Saga'), ['order'])
    t.is(named(resources, 'Participant').length, 4)
    const links = (await readdir(chart, { recursive: true, withFileTypes: true })).filter((it) => it.isSymbolicLink())
    t.deepEqual(links, [])
  })

  test('a part of another chart takes a null for what this one would say', async (t) => {
    const context = { runAsUser: null, runAsGroup: null, fsGroup: null }
    const resources = await umbrella({ defaults: { podSecurityContext: context } })
    t.false(JSON.stringify(podOf(resources, 'order').securityContext).includes('runAsUser'))
  })

  test('all images come from the mirror that the whole names, with its secrets', async (t) => {
    const resources = await render(variants['images from a mirror, and a part of another chart']!)
    t.deepEqual(imagesOf(resources).toSorted(), [
      'mirror.example.com:5000/all/apache/kafka:4.3.1',
      'mirror.example.com:5000/all/apicurio/apicurio-registry:3.3.3',
      'mirror.example.com:5000/all/parcomolo:dev'
    ])
    const secrets = [{ name: 'mirror' }, { name: 'pull' }]
    for (const { imagePullSecrets } of podsIn(resources)) t.deepEqual(imagePullSecrets, secrets)
  })

  test('common labels are on all resources and pods, and take nothing from what finds the pods', async (t) => {
    const label = 'app.kubernetes.io/component'
    const commonLabels = { 'cost-centre': 12, 'app.kubernetes.io/part-of': 'all', [label]: 'mine' }
    const resources = await render({ commonLabels })
    for (const { kind, metadata } of resources)
      t.like(metadata.labels, { 'cost-centre': '12', 'app.kubernetes.io/part-of': 'all' }, `${kind} ${metadata.name}`)
    const made = workloadsIn(resources).filter(({ selector }) => selector !== undefined)
    for (const { selector, template } of made) {
      t.is(template.metadata.labels['cost-centre'], '12')
      t.like(template.metadata.labels, selector.matchLabels)
      t.not(template.metadata.labels[label], 'mine')
    }
  })

  test('the claim of a volume never changes, as a cluster would refuse it', async (t) => {
    const claims = async (values: Values): Promise<unknown> =>
      specOf<{ volumeClaimTemplates: unknown }>(await render(values), 'StatefulSet', 'shop-parcomolo-kafka')
        .volumeClaimTemplates
    t.deepEqual(await claims({ commonLabels: { owner: 'shop' } }), await claims({}))
  })
}

function testPods(): void {
  test('a null takes the users away that OpenShift chooses itself, in every pod', async (t) => {
    for (const pod of podsIn(await render(variants['users that OpenShift chooses']!)))
      t.deepEqual(pod.securityContext, {
        runAsNonRoot: true,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' }
      })
  })

  test("a role's security context is laid over that of all roles, field by field", async (t) => {
    const resources = await render({
      defaults: { podSecurityContext: { runAsUser: 1_000_650_000 } },
      payment: {
        podSecurityContext: { runAsGroup: null, fsGroup: 0 },
        securityContext: { readOnlyRootFilesystem: false, capabilities: { add: ['NET_BIND_SERVICE'] } }
      }
    })
    const payment = podOf(resources, 'payment')
    t.deepEqual(payment.securityContext, {
      runAsNonRoot: true,
      runAsUser: 1_000_650_000,
      fsGroup: 0,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' }
    })
    t.deepEqual(payment.containers[0]!.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] }
    })
    t.like(podOf(resources, 'order').securityContext, { runAsGroup: 10_001, fsGroup: 10_001 })
  })

  test('variables, volumes and hooks of the values get into every role, or into one', async (t) => {
    const envFrom = [{ secretRef: { name: 'more' } }]
    const extraVolumes = [{ name: 'scratch', emptyDir: {} }]
    const extraVolumeMounts = [{ name: 'scratch', mountPath: '/scratch' }]
    const lifecycle = { preStop: { sleep: { seconds: 7 } } }
    const resources = await render({ defaults: { extraVolumes, extraVolumeMounts }, payment: { envFrom, lifecycle } })
    for (const role of roles) {
      const pod = podOf(resources, role)
      t.like(
        pod.volumes?.find(({ name }) => name === 'scratch'),
        { emptyDir: {} },
        role
      )
      t.like(pod.containers[0]!.volumeMounts?.at(-1), { mountPath: '/scratch' }, role)
    }
    t.is(podOf(resources, 'view').containers[0]!.volumeMounts?.[0]?.mountPath, '/data')
    t.like(podOf(resources, 'payment').containers[0], { envFrom, lifecycle })
    t.is(podOf(resources, 'order').containers[0]!.envFrom, undefined)
  })
}

function testSpread(): void {
  test('each role is spread over zones and nodes, as the values say otherwise, or not at all', async (t) => {
    const spread = async (values: Values, role: string): Promise<readonly unknown[] | undefined> =>
      podOf(await render(values), role).topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)
    const standard = ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']
    t.deepEqual(await spread({}, 'view'), standard)
    const rack = [{ maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }]
    t.deepEqual(await spread({ view: { topologySpreadConstraints: rack } }, 'view'), ['rack'])
    t.deepEqual(await spread({ view: { topologySpreadConstraints: rack } }, 'order'), standard)
    t.is(await spread({ defaults: { topologySpreadConstraints: [] } }, 'order'), undefined)
  })

  test('a spread without a selector counts the pods of its own role', async (t) => {
    const rack = { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }
    const labelSelector = { matchLabels: { a: 'b' } }
    const constraints = [rack, { ...rack, labelSelector }]
    const resources = await render({ view: { topologySpreadConstraints: constraints } })
    const [own, given] = podOf(resources, 'view').topologySpreadConstraints!
    const { selector } = workload(resources, 'Deployment', 'shop-parcomolo-view')
    t.deepEqual(own!['labelSelector'], selector)
    t.deepEqual(given!['labelSelector'], labelSelector)
  })

  test('two views by default, of which an eviction takes one at a time', async (t) => {
    const resources = await render({})
    t.is(workload(resources, 'Deployment', 'shop-parcomolo-view').replicas, 2)
    t.like(specOf(resources, 'PodDisruptionBudget', 'shop-parcomolo-view'), { maxUnavailable: 1 })
  })
}

type Service = {
  readonly type: string
  readonly sessionAffinity: string
  readonly ports: readonly { readonly nodePort?: number }[]
}

function testDoors(): void {
  const service = async (values: Values): Promise<Service> => specOf(await render(values), 'Service', 'shop-parcomolo')

  test('a service has the port, address and class that it is given, and none by default', async (t) => {
    const plain = await service({})
    t.like(plain, { type: 'ClusterIP', sessionAffinity: 'ClientIP' })
    t.is(plain.ports[0]!.nodePort, undefined)
    const open = await service(variants['node port']!)
    t.like(open, { type: 'NodePort', sessionAffinity: 'None' })
    t.is(open.ports[0]!.nodePort, 30_080)
    t.like(await service(variants['load balancer of a class']!), {
      loadBalancerIP: '192.0.2.1',
      loadBalancerClass: 'example.com/internal'
    })
  })

  test('an HTTPRoute leads from a gateway to the service, and everybody gets in', async (t) => {
    t.deepEqual(named(await render({}), 'HTTPRoute'), [])
    const resources = await render(variants['gateway']!)
    t.deepEqual(specOf(resources, 'HTTPRoute', 'shop-parcomolo'), {
      parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
      hostnames: ['shop.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ name: 'shop-parcomolo', port: 80 }]
        }
      ]
    })
    const policy = specOf<{ ingress: object[] }>(resources, 'NetworkPolicy', 'shop-parcomolo-view')
    t.deepEqual(policy.ingress, [{ ports: [{ port: 'http', protocol: 'TCP' }] }])
  })
}

function testStrangers(): void {
  test('who may read metrics gets at nothing else, and who gets at the shop reads no metrics', async (t) => {
    const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }
    const resources = await render({ networkPolicy: { metricsFrom: [peer] }, serviceMonitor: { enabled: true } })
    type Policy = { ingress: { ports: { port: string }[]; from: object[] }[] }
    for (const role of roles) {
      const { ingress } = specOf<Policy>(resources, 'NetworkPolicy', `shop-parcomolo-${role}`)
      const ofMetrics = ingress.filter(({ from }) => JSON.stringify(from).includes('monitoring'))
      t.deepEqual(ofMetrics, [{ ports: [{ port: 'metrics', protocol: 'TCP' }], from: [peer] }] as unknown)
      t.is(ingress.length, role === 'view' ? 2 : 1)
      const text = JSON.stringify(podOf(resources, role).containers[0])
      t.is(text.match(/"path":"\/(healthz|readyz)","port":"metrics"/g)?.length, 3)
    }
    const front = specOf<{ ports: object[] }>(resources, 'Service', 'shop-parcomolo')
    t.deepEqual(front.ports.length, 1)
    t.regex(JSON.stringify(specOf(resources, 'ServiceMonitor', 'shop-parcomolo')), /"port":"metrics"/)
    const open = specOf<Policy>(await render({}), 'NetworkPolicy', 'shop-parcomolo-order')
    t.deepEqual(open.ingress, [])
  })

  test('what ids are made with is a secret that is made, or named, or left out', async (t) => {
    const idOf = async (idSecret: Values): Promise<[variable: unknown, secrets: string[]]> => {
      const resources = await render({ view: { idSecret } })
      const variable = podOf(resources, 'view').containers[0]!.env!.find(({ name }) => name === 'PARCOMOLO_ID_SECRET')
      return [variable, named(resources, 'Secret')]
    }
    const from = (name: string): unknown => ({
      name: 'PARCOMOLO_ID_SECRET',
      valueFrom: { secretKeyRef: { name, key: 'id-secret' } }
    })
    t.deepEqual(await idOf({}), [from('shop-parcomolo-ids'), ['shop-parcomolo-ids']])
    t.deepEqual(await idOf({ existingSecret: 'mine' }), [from('mine'), []])
    t.deepEqual(await idOf({ generate: false }), [undefined, []])
  })

  test('an Ingress compares its path as it is told', async (t) => {
    t.regex(await rendered(variants['ingress']!), /pathType: ImplementationSpecific/)
    t.regex(await rendered({ view: { ingress: { enabled: true } } }), /pathType: Prefix/)
  })
}
