export type { Command, Component, Event, Input, MessageInput, TimerInput } from './component.ts'
export { header } from './headers.ts'
export { type Runner, runComponent, topicsOf } from './runner.ts'
export { Task, type TaskDeps, type TaskLimits, taskLimits, type TaskStats } from './task.ts'
