export { sendAway } from './admission.ts'
export { asked, mapped, whenAnswered } from './answering.ts'
export { answerOf, seenOf } from './command.ts'
export { formatCursor } from './cursor.ts'
export {
  type About,
  type DefinitionRevision,
  type DefinitionsPort,
  type InboxWait,
  type GraphFormat,
  type HealthCheck,
  type HttpDeps,
  type HttpLimits,
  type Intake,
  type LogLevel,
  type OutgoingCommand,
  type RouteDeps,
  type Routes,
  type SagaDefinition
} from './deps.ts'
export { keyedId } from './keyed-id.ts'
export { timeText } from './present.ts'
export { createProbes, type ProbeDeps } from './probes.ts'
export { quoted, sendProblem, type Violation } from './problem.ts'
export { hasReachedPosition, held, pageRequested, waitRequested } from './reading.ts'
export { json, readProblems, writeProblems } from './route-docs.ts'
export {
  anyId,
  integer,
  listOf,
  object,
  orNull,
  pageOf,
  pageParameters,
  parameters,
  pathParameters,
  place,
  positionHeader,
  type Schema,
  string,
  text,
  time
} from './schemas.ts'
export { createHttp, createHttpApart } from './server.ts'
