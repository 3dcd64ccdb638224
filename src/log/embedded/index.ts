export type { EmbeddedLog } from './embedded-log.ts'
export { type EmbeddedLogOptions, openEmbeddedLog } from './open.ts'
export type { Disk } from './disk.ts'
export type { Health } from './group-commit.ts'
