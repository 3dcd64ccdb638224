import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createEndpointHandler } from '@restatedev/restate-sdk'
import { inventory } from './services/inventory.ts'
import { order } from './services/order.ts'
import { payment } from './services/payment.ts'
import { shipping } from './services/shipping.ts'

/** Serves the services that it is called with to the server of Restate on this machine; its first line says where. */
const services = { inventory, order, payment, shipping }

const named = process.argv.slice(2).map((name) => services[name as keyof typeof services])
const server = createServer(createEndpointHandler({ services: named }))
server.listen(0, '127.0.0.1', () => {
  console.log(`serving at http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
