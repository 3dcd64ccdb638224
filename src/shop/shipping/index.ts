export { shippingComponent } from './reactions.ts'
