/** What the chart renders, for people without Helm: with its namespace, and without what speaks of Helm. */
import { parseAllDocuments, stringify } from 'yaml'

export type Resource = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: unknown
}

const namespace = 'parcomolo'
const clusterScoped = ['ClusterRole']
const ofHelm = ['helm.sh/chart', 'app.kubernetes.io/managed-by']

const head = `# Made from the chart by "npm run chart", for people without Helm:
#
#   kubectl apply --server-side -f charts/parcomolo/crds
#   kubectl apply --server-side -f manifests/parcomolo.yaml
#
# Take the sagas away first when you remove it (kubectl -n parcomolo delete sagas --all), as long as the operator runs.
`

export const resourcesIn = (yaml: string): Resource[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as Resource | null)
    .filter((resource) => resource !== null)

export const plainManifests = (rendered: string): string =>
  head +
  [own, ...resourcesIn(rendered).map(plain)].map((resource) => `---\n${stringify(resource, readByKubectl)}`).join('')

/** It takes `on`, `yes` and the like for booleans, unless they are quoted. */
const readByKubectl = { version: '1.1', aliasDuplicateObjects: false } as const

const own: Resource = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
}

const plain = ({ apiVersion, kind, metadata, ...content }: Resource): Resource => {
  const { name, labels = {}, ...rest } = metadata
  const kept = Object.entries(labels).filter(([label]) => !ofHelm.includes(label))
  const place = clusterScoped.includes(kind) ? {} : { namespace }
  return { apiVersion, kind, metadata: { name, ...place, labels: Object.fromEntries(kept), ...rest }, ...content }
}
