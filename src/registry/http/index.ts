export type { Credentials } from './address.ts'
export { type HttpRegistryOptions, openHttpRegistry } from './http-registry.ts'
