export { type Operator, type OperatorDeps, startOperator } from './operator.ts'
export type {
  Beside,
  DefinitionsPort,
  ParticipantsPort,
  ParticipantText,
  Ports,
  PublishedSaga,
  RunningCount,
  RunningPort
} from './ports.ts'
