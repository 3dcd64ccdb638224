export { type LoadedDefinition, loadSaga } from './load.ts'
