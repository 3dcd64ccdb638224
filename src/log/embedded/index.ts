export { type EmbeddedLogOptions, openEmbeddedLog } from './open.ts'
export type { Disk } from './disk.ts'
