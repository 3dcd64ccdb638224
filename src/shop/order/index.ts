export { orderHealth } from './health.ts'
export { orderComponent } from './reactions.ts'
export { orderRoutes } from './routes.ts'
export type { Prices, Selling } from './selling.ts'
