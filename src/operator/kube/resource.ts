/** What every object of the API has, as far as the runtime reads it; the rest is carried along. */
export type KubeObject = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMetadata
}

export type ObjectMetadata = {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
}

/** A kind of namespaced objects, and where the API has them. */
export type ResourceKind = {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
}

export const leaseKind: ResourceKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases'
}

export const eventKind: ResourceKind = { group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events' }

export const apiVersionOf = ({ group, version }: ResourceKind): string =>
  group === '' ? version : `${group}/${version}`

/** `/apis/parcomolo.io/v1alpha1/namespaces/shop/sagas/order/status`; the collection where no name is given. */
export const pathOf = (kind: ResourceKind, namespace: string, ...rest: readonly string[]): string => {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const parts = ['namespaces', namespace, kind.plural, ...rest].map(encodeURIComponent)
  return `${root}/${parts.join('/')}`
}

/** A time as Leases and Events take it: with six digits, since a Date's three are refused. */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/**
 * True for a change of what a person asks for: not of the status, nor of the book-keeping of the API server. Of the
 * finalizers only a loss counts: whoever adds one knows of it.
 */
export const hasSpecChanged = (before: KubeObject | undefined, after: KubeObject | undefined): boolean =>
  before === undefined || after === undefined || wishOf(before) !== wishOf(after) || hasLostFinalizer(before, after)

const wishOf = ({ metadata }: KubeObject): string =>
  JSON.stringify([metadata.uid, metadata.generation, metadata.deletionTimestamp])

const hasLostFinalizer = (before: KubeObject, after: KubeObject): boolean =>
  (before.metadata.finalizers ?? []).some((finalizer) => after.metadata.finalizers?.includes(finalizer) !== true)

/**
 * Whether the first is a later state of an object. Versions are whole numbers that grow; any others are taken as later.
 */
export const isNewer = (one: KubeObject, other: KubeObject): boolean => {
  const [a, b] = [one.metadata.resourceVersion, other.metadata.resourceVersion]
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return a !== b
  return a.length === b.length ? a > b : a.length > b.length
}
