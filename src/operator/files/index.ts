export { readFolder } from './folder-files.ts'
export type { Participants, Taken } from './participants.ts'
export { followSagaFiles } from './saga-files.ts'
export { yamlFiles } from './yaml-files.ts'
