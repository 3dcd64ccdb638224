export { type GeneratedPart, generateResources } from './generate-resources.ts'
export type { Json, ResourceMetadata } from './metadata.ts'
export {
  type Condition,
  type ConditionType,
  finalizer,
  group,
  type ParticipantResource,
  type ParticipantStatus,
  participantNames,
  type ResourceNames,
  type RunningRevision,
  type SagaResource,
  type SagaStatus,
  sagaNames,
  version
} from './resources.ts'
export { statusLimits } from './status-fields.ts'
