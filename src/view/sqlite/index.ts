export { isUsable } from './layout.ts'
export { restoreFile } from './restore.ts'
export { openSqliteViewStore } from './store.ts'
