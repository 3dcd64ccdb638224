export { catalogue } from './catalogue.ts'
export { inventoryComponent } from './reactions.ts'
