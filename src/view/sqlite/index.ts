export { isUsable, layoutVersion as sqliteLayout } from './layout.ts'
export { restoreFile } from './restore.ts'
export { openSqliteViewStore } from './store.ts'
