/** What the tests of the chart look at in rendered resources. */
import { rolesOf } from '../../src/config/roles.ts'
import { shop } from '../../src/shop/index.ts'
import { rendered, type Values } from './helm.ts'
import { type Resource, resourcesIn } from './plain-manifests.ts'

export type Variable = { readonly name: string; readonly value?: string }

export type Container = {
  readonly image: string
  readonly env?: readonly Variable[]
  readonly envFrom?: readonly object[]
  readonly lifecycle?: object
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly securityContext: object
  readonly resources: { readonly limits: Readonly<Record<string, string>> }
}

export type PodSpec = {
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly securityContext: object
  readonly imagePullSecrets?: readonly { readonly name: string }[]
  readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[]
  readonly terminationGracePeriodSeconds: number
  readonly volumes?: readonly { readonly name: string; readonly emptyDir?: { readonly sizeLimit?: string } }[]
  readonly containers: readonly Container[]
}

export type Workload = {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> }
    readonly spec: PodSpec
  }
}

export const roles = rolesOf(shop('orchestration'))

export const render = async (values: Values): Promise<readonly Resource[]> => resourcesIn(await rendered(values))

export const named = (resources: readonly Resource[], kind: string): string[] =>
  resources.filter((resource) => resource.kind === kind).map(({ metadata }) => metadata.name)

export const specOf = <T>(resources: readonly Resource[], kind: string, name: string): T =>
  resources.find((resource) => resource.kind === kind && resource.metadata.name === name)!.spec as T

export const workload = (resources: readonly Resource[], kind: string, name: string): Workload =>
  specOf<Workload>(resources, kind, name)

export const podOf = (resources: readonly Resource[], role: string): PodSpec =>
  workload(resources, 'Deployment', `shop-parcomolo-${role}`).template.spec

export const environment = (
  resources: readonly Resource[],
  role: string
): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(podOf(resources, role).containers[0]!.env!.map(({ name, value }) => [name, value]))

/** Of everything that makes pods by itself, and of Helm's test. */
export const podsIn = (resources: readonly Resource[]): PodSpec[] => [
  ...workloadsIn(resources).map(({ template }) => template.spec),
  ...resources.filter(({ kind }) => kind === 'Pod').map(({ spec }) => spec as PodSpec)
]

export const workloadsIn = (resources: readonly Resource[]): Workload[] =>
  resources
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind))
    .map(({ spec }) => spec as Workload)
