export { bind, type Reactions } from './bind.ts'
export type {
  Beginnings,
  Census,
  CensusGroup,
  Command,
  Component,
  Event,
  Home,
  Input,
  JournalRead,
  MessageInput,
  Needed,
  TimerInput
} from './component.ts'
export { deadHeader, deadLetterTopic, ownHeaders } from './dead-letters.ts'
export { lastSequence } from './group-readings.ts'
export { header, parsePositions, parseSource, sequencePosition, sourceOf } from './headers.ts'
export { isMarker, markerProtocol } from './marker.ts'
export { Patience } from './patience.ts'
export { type Runner, runComponent, type RunningTask, topicsOf } from './runner.ts'
export { readSnapshot, type SnapshotEntity } from './snapshot-reader.ts'
export { Task } from './task.ts'
export type { TaskDeps, TaskLimits, TaskStats } from './task-deps.ts'
