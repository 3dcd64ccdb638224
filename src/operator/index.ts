export { type Operator, type OperatorDeps, startOperator } from './operator.ts'
export type { DefinitionsPort, ParticipantsPort, Ports, PublishedSaga, RunningCount, RunningPort } from './ports.ts'
