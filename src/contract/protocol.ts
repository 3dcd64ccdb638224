import { type Contract } from './contract.ts'

/** What an Avro protocol says by itself: a contract without its participant and topics. */
export type Protocol = Omit<Contract, 'participant' | 'inbox' | 'events'>

/** An Avro protocol given as IDL text in code. `name` stands for the file in errors. */
export const readProtocolText = (idl: string, name = 'protocol'): Protocol => {
  throw new Error(`not yet: ${name} ${idl.length}`)
}
