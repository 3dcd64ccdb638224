export { paymentComponent } from './reactions.ts'
