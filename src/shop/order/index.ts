export { cancelOrderRoutes } from './cancel-routes.ts'
export { orderComponent } from './reactions.ts'
export { orderRoutes } from './routes.ts'
