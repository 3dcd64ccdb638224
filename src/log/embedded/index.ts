export { type EmbeddedLogOptions, openEmbeddedLog } from './open.ts'
export { type CopiedLog, copyEmbeddedLog } from './copying.ts'
export { type Faults, repairEmbeddedLog } from './repair.ts'
export type { Disk } from './disk.ts'
