import type { Json, ResourceMetadata } from './metadata.ts'

/** The API that both resources belong to. */
export const group = 'parcomolo.io'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`

/** How a resource is called by those who write it, and by those who ask the API server for it. */
export type ResourceNames = {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortName: string
}

export const sagaNames = {
  kind: 'Saga',
  plural: 'sagas',
  singular: 'saga',
  shortName: 'sg'
} as const satisfies ResourceNames

export const participantNames = {
  kind: 'Participant',
  plural: 'participants',
  singular: 'participant',
  shortName: 'ptc'
} as const satisfies ResourceNames

/** Holds a saga that is being deleted until the last of its running instances has ended. */
export const finalizer = 'parcomolo.io/running-instances'

/** What the operator says of a resource; `status` is Unknown until it has looked at it. */
export type Condition = {
  readonly type: ConditionType
  readonly status: 'True' | 'False' | 'Unknown'
  /** The generation that this was found out about. */
  readonly observedGeneration: number
  /** RFC 3339; moves only when `status` changes. */
  readonly lastTransitionTime: string
  /** One word in CamelCase, for programs. */
  readonly reason: string
  /** For people; may be empty. */
  readonly message: string
}

/**
 * Ready: the latest spec is in force. Reconciling: the operator is at work on it. Stalled: it cannot be brought into
 * force as it stands.
 */
export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled'

type Resource<Kind extends string, Status> = {
  readonly apiVersion: typeof apiVersion
  readonly kind: Kind
  readonly metadata: ResourceMetadata
  /** As it was written: what it means, `loadSaga` and `readContract` find out. */
  readonly spec: Json
  /** Not there until the operator has looked at the resource for the first time. */
  readonly status?: Status
}

export type SagaResource = Resource<typeof sagaNames.kind, SagaStatus>

export type ParticipantResource = Resource<typeof participantNames.kind, ParticipantStatus>

export type SagaStatus = {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  /** Which new instances follow; stays when a later spec is refused. */
  readonly revision?: string
  /** Of that revision; those inside `parallel` are counted too. */
  readonly stepCount?: number
  /** All running instances, of whatever revision. */
  readonly runningCount?: number
  /** The running instances of each revision that has some, and the one in force even without. */
  readonly running?: readonly RunningRevision[]
}

export type RunningRevision = { readonly revision: string; readonly count: number; readonly current: boolean }

export type ParticipantStatus = {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  /** Of the contract that is registered; stays when a later one is refused. */
  readonly operationCount?: number
  /** The events that it tells of by itself, beside the answers to commands. */
  readonly eventCount?: number
}
