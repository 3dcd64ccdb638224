export { type AvroSchema, type Registry } from './registry.ts'
