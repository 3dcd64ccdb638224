export { contractsAgree } from './agree.ts'
export { makeCodec } from './codec.ts'
export {
  type Codec,
  type Contract,
  type FieldType,
  type HttpEndpoint,
  type HttpHeader,
  type Message,
  type Operation,
  type RecordType,
  type RegisteredSchema
} from './contract.ts'
export { type CommandType, type Contracts, contractSet, type EventType, type LookUp } from './contracts.ts'
export { type GeneratedFile, generateTypes } from './generate-types.ts'
export { httpLimits, httpPatterns } from './http-limits.ts'
export { type JsonMisfit, type JsonRead, readJson, toJson } from './json-value.ts'
export type { ReleaseService } from './reserved.ts'
export { limits as contractLimits } from './limits.ts'
export { type Protocol, readProtocolText } from './protocol.ts'
export {
  participantPattern,
  readContract,
  groupCharsMax,
  groupPattern,
  topicCharsMax,
  topicPattern
} from './read-contract.ts'
export {
  adoptContract,
  type Agreed,
  learnSchemas,
  registerAgreed,
  registerContracts,
  type SchemaRegistry,
  type TopicRecords
} from './register.ts'
export { isYamlName, readFileBytes, readTextFile, yamlNames } from './text-file.ts'
export { type SourceFile } from './yaml-file.ts'
