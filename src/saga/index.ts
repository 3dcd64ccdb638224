export { type Attempt, type AttemptOf, type Time } from './attempt.ts'
export { type CommandAddress, commandId, parseCommandId } from './command-id.ts'
export { decide } from './decide.ts'
export type * from './definition.ts'
export { evolve } from './evolve.ts'
export { type GraphEdge, type GraphNode, type SagaGraph, sagaGraph } from './graph.ts'
export { toMermaid } from './graph-mermaid.ts'
export { toSvg } from './graph-svg.ts'
export {
  type Failure,
  type Instance,
  type Payload,
  type SagaEvent,
  type SagaEvents,
  type SagaInput,
  type SagaStatus,
  type Timer
} from './instance.ts'
export { type LoadedDefinition, loadSaga } from './load.ts'
export { type Finding, findingText } from './load-findings.ts'
export { nameCharsMax, namePatterns, policyDefaults, reservedStepName, retryRanges, sagaLimits } from './limits.ts'
export { type NamedFile, namedTwice } from './same-name.ts'
export { keyMoved, type KeysOfSaga, keysOfSaga, keysText, standsUnderKey } from './one-key.ts'
export { cancelTextIn } from './yaml-source.ts'
export { decodeInstance, encodeInstance, type InstanceSnapshot } from './snapshot.ts'
export { goOn, standStill } from './stand-still.ts'
export { dueAt, hasEnded, statusOf } from './status.ts'
