import type { EitherType, Fields, RecordType } from './field-types.ts'

/** Of one of several records: the fields of all of them. */
export const fieldsOf = (type: RecordType | EitherType): Fields =>
  type.kind === 'record' ? type.fields : (Object.assign({}, ...type.of.map(({ record }) => record.fields)) as Fields)
