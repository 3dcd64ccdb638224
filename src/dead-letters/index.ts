export { type DeadLetter, type DeadLetters, type DeadRecord, Desk, type Resending } from './desk.ts'
