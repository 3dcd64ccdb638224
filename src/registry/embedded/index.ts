export { openEmbeddedRegistry } from './embedded-registry.ts'
