export { orderComponent } from './reactions.ts'
