export { type Config, readConfig, settingsInUse } from './config.ts'
export { type DeadLetters, openDeadLetters } from './dead-letters.ts'
export { type Running, start, type StartOptions } from './start.ts'
export { type Flow, ownRecords, startSystem, type System, type SystemDeps } from './system.ts'
