export { type ScopeType, type StepReply } from './checking.ts'
export { asKey, compileExpression } from './expression.ts'
export { compileTemplate } from './template.ts'
export {
  booleanType,
  type Field,
  recordOf,
  type RecordShape,
  sameType,
  stringType,
  type Type,
  unknownType
} from './types.ts'
