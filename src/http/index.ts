export {
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
  type SagaDefinition
} from './deps.ts'
export { createProbes, type ProbeDeps } from './probes.ts'
export { createHttp, createHttpApart } from './server.ts'
