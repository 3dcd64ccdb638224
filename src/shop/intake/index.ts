export { Intake, type IntakeDeps, type PriceSource } from './intake.ts'
