export { type Attempt, type AttemptOf, type Time } from './attempt.ts'
export { type CommandAddress, commandId, parseCommandId } from './command-id.ts'
export { decide } from './decide.ts'
export { evolve } from './evolve.ts'
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
export { decodeInstance, encodeInstance, type InstanceSnapshot } from './snapshot.ts'
export { goOn, standStill } from './stand-still.ts'
export { dueAt, hasEnded, statusOf } from './status.ts'
