export { openSqliteViewStore } from './store.ts'
