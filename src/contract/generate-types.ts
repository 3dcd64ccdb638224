import { type Contract } from './contract.ts'

export type GeneratedFile = { readonly path: string; readonly text: string }

/** TypeScript types of every record and of each participant's commands and events: one file a participant, paths relative to the project. */
export const generateTypes = (contracts: readonly Contract[]): GeneratedFile[] => {
  throw new Error(`not yet: ${contracts.length}`)
}
