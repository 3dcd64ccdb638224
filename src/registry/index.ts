export { deniedAtOnce } from './denied.ts'
export { type AvroSchema, type Registry } from './registry.ts'
