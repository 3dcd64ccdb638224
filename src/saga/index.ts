export type {
  Call,
  CommandKey,
  Compensation,
  Definition,
  Emission,
  Expression,
  Node,
  RetryPolicy,
  Scope,
  Step,
  Template
} from './definition/index.ts'
export {
  keyMoved,
  keysOfSaga,
  type KeysOfSaga,
  keysText,
  nameCharsMax,
  namePatterns,
  policyDefaults,
  reservedStepName,
  retryRanges,
  sagaLimits,
  standsUnderKey
} from './definition/index.ts'
export {
  type Attempt,
  type AttemptOf,
  type CommandAddress,
  commandId,
  decide,
  decodeInstance,
  dueAt,
  encodeInstance,
  evolve,
  type Failure,
  goOn,
  hasEnded,
  type Instance,
  type InstanceSnapshot,
  parseCommandId,
  type Payload,
  type SagaEvent,
  type SagaEvents,
  type SagaInput,
  type SagaStatus,
  standStill,
  statusOf,
  type Time,
  type Timer
} from './engine/index.ts'
export { type GraphEdge, type GraphNode, type SagaGraph, sagaGraph, toMermaid, toSvg } from './graph/index.ts'
export { type LoadedDefinition, loadSaga } from './load/index.ts'
export { cancelTextIn, type Finding, findingText, type NamedFile, namedTwice } from './source/index.ts'
