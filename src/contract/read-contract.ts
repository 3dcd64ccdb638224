import { type Contract } from './contract.ts'

export type SourceFile = { readonly path: string; readonly text: string }

/** Reads a participant's YAML. Throws PARCOMOLO_CONTRACT_INVALID with every problem that was found, each with its place in the file. */
export const readContract = (file: SourceFile): Contract => {
  throw new Error(`not yet: ${file.path}`)
}
