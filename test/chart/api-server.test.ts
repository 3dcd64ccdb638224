import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type ApiServer, kubeAssets, startApiServer } from '../helpers/api-server.ts'
import { foreignDefinitions } from './foreign-resources.ts'
import { fed, hasHelm, hasKubectl, rendered } from './helm.ts'
import { type Resource, resourcesIn } from './plain-manifests.ts'
import { variants } from './variants.ts'

const missing = [
  ...(kubeAssets === undefined ? ['KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver'] : []),
  ...(hasHelm ? [] : ['there is no helm in PATH']),
  ...(hasKubectl ? [] : ['there is no kubectl in PATH'])
]
if (missing.length > 0) test.skip(`the chart on a real API server: ${missing.join('; ')}`, () => undefined)
else testOnServer()

const root = join(import.meta.dirname, '../..')
const namespace = 'parcomolo'
let server: ApiServer

const kubectl = (input: string, ...args: readonly string[]) => {
  const cache = join(dirname(server.kubeconfig), 'cache')
  return fed('kubectl', ['--kubeconfig', server.kubeconfig, '--cache-dir', cache, '-n', namespace, ...args], input)
}

const apply = ['apply', '--server-side', '--filename', '-']

/** A field that nobody knows and a warning are errors; nothing is made. */
const dryRun = (input: string) =>
  kubectl(input, ...apply, '--dry-run=server', '--validate=strict', '--warnings-as-errors')

const accepts = async (t: ExecutionContext, input: string): Promise<void> => {
  const { status, err } = await dryRun(input)
  t.is(err, '')
  t.is(status, 0)
}

type Template = { readonly metadata: object; readonly spec: { readonly volumes?: readonly object[] } }

type Workload = {
  readonly template: Template
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
}

/** The pods that workloads would make: only of them the server checks that they keep to a profile. */
const podsOf = (resources: readonly Resource[]): object[] =>
  resources
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind))
    .map(({ metadata, spec }) => {
      const { template, volumeClaimTemplates = [] } = spec as Workload
      const claimed = volumeClaimTemplates.map((claim) => ({ name: claim.metadata.name, emptyDir: {} }))
      const volumes = [...(template.spec.volumes ?? []), ...claimed]
      return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...template.metadata, name: metadata.name },
        spec: { ...template.spec, volumes }
      }
    })

const asStream = (objects: readonly object[]): string => objects.map((object) => JSON.stringify(object)).join('\n---\n')

function testOnServer(): void {
  test.before(async (t) => {
    t.timeout(60_000)
    server = await startApiServer()
    const folder = join(root, 'charts/parcomolo/crds')
    const own = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))
    const profile = ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted'])
    const place = { name: namespace, labels: Object.fromEntries(profile) as object }
    const all = [...own, asStream([{ apiVersion: 'v1', kind: 'Namespace', metadata: place }, ...foreignDefinitions])]
    const made = await kubectl(all.join('\n---\n'), ...apply)
    t.is(made.status, 0, made.err)
    const served = await kubectl('', 'wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s')
    t.is(served.status, 0, served.err)
  })

  test.after.always(() => server?.stop())

  for (const [name, values] of Object.entries(variants))
    test(`a real API server accepts everything, and each pod as restricted: ${name}`, async (t) => {
      const yaml = await rendered(values)
      await accepts(t, `${yaml}\n---\n${asStream(podsOf(resourcesIn(yaml)))}`)
    })

  test("the broker's volume keeps its size in an upgrade whose values have another", async (t) => {
    t.timeout(60_000)
    const size = 'kafka.broker.persistence.size'
    const other = 'volume'
    await kubectl('', 'create', 'namespace', other)
    const helm = (...args: readonly string[]) =>
      fed('helm', ['--kubeconfig', server.kubeconfig, '--namespace', other, ...args], '')
    const chart = ['shop', 'charts/parcomolo', '--set', `rbac.aggregate=false,sagas.install=false`]
    const installed = await helm('install', ...chart, '--set', `${size}=4Gi`)
    t.is(installed.status, 0, installed.err)
    const upgraded = await helm('upgrade', ...chart, '--set', `${size}=8Gi`)
    t.is(upgraded.status, 0, upgraded.err)
    t.regex(upgraded.out, /4Gi are full after some\n195,000 orders/)
    t.regex(upgraded.out, /The volume keeps its size, which is not 8Gi/)
  })

  test('the plain manifests are accepted', async (t) => {
    await accepts(t, await readFile(join(root, 'manifests/parcomolo.yaml'), 'utf8'))
  })

  for (const [what, folder] of [
    ['a new participant and a new saga', 'manifests/loyalty'],
    ['a trip over HTTP', 'manifests/trip']
  ] as const)
    test(`the example of ${what} is accepted`, async (t) => {
      const { out } = await fed('kubectl', ['kustomize', folder], '')
      await accepts(t, `${out}\n---\n${asStream(podsOf(resourcesIn(out)))}`)
    })

  test('it refuses a pod that is not restricted', async (t) => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'root' } }
    const { status, err } = await dryRun(asStream([{ ...pod, spec: { containers: [{ name: 'root', image: 'a' }] } }]))
    t.is(status, 1)
    t.regex(err, /violates PodSecurity "restricted:latest"/)
  })

  test('it refuses a field that does not exist', async (t) => {
    const yaml = await rendered(variants['KEDA']!)
    const { status, err } = await dryRun(yaml.replace('pollingInterval:', 'pollInterval:'))
    t.is(status, 1)
    t.regex(err, /pollInterval: field not declared in schema/)
  })
}
