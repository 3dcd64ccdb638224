export { makeCodec, type RegisteredSchema } from './codec.ts'
export {
  type Codec,
  type Contract,
  type FieldType,
  type Message,
  type Operation,
  type RecordType
} from './contract.ts'
export { type CommandType, type Contracts, contractSet, type EventType, type LookUp } from './contracts.ts'
export { type GeneratedFile, generateTypes } from './generate-types.ts'
export { type Protocol, readProtocolText } from './protocol.ts'
export { readContract, type SourceFile } from './read-contract.ts'
export { learnSchemas, registerContracts, type SchemaRegistry, type TopicRecords } from './register.ts'
