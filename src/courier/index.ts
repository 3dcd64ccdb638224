export { type Client, makeClient } from './client.ts'
export { Courier, type CourierDeps } from './courier.ts'
export type { HeaderSources } from './header-values.ts'
export { callsTopic, courierProtocol, courierSubject, postsTopic } from './protocol.ts'
