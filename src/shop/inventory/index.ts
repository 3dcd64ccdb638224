export { catalogue } from './catalogue.ts'
export { inventoryPrices } from './prices.ts'
export { inventoryComponent } from './reactions.ts'
export { stockRoutes } from './routes.ts'
