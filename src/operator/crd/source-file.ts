import { stringify } from 'yaml'
import type { SourceFile } from '../../contract/index.ts'
import type { Field, Fields } from './field-types.ts'
import { fieldsOf } from './fields-of.ts'
import type { Json } from './metadata.ts'
import { participantSpec } from './participant-fields.ts'
import { apiVersion, type ParticipantResource, type SagaResource } from './resources.ts'
import { sagaSpec } from './saga-fields.ts'

/**
 * The file that a resource stands for, as `loadSaga` and `readContract` read it: what the API server keeps loses the
 * author's comments and order of keys, and may have a key as YAML 1.1 reads it (`true` for `on`), which is put right
 * here. Of the metadata only the name is the file's.
 */
export const sourceFileOf = (resource: SagaResource | ParticipantResource): SourceFile => {
  const { kind, metadata } = resource
  const { name, namespace } = metadata
  const spec = asWritten(resource.spec, (kind === 'Saga' ? sagaSpec : participantSpec).fields)
  const file = { apiVersion, kind, metadata: { name }, spec }
  return { path: `${namespace}/${name}`, text: stringify(file, { lineWidth: 0, aliasDuplicateObjects: false }) }
}

/** In the order of the description, so that people can read it; what it does not know comes last. */
const asWritten = (value: Json, fields: Fields): Json => {
  if (!isMap(value)) return value
  const found = Object.entries(fields).flatMap(([name, field]) => {
    const key = keyOf(value, name, field)
    return key === undefined ? [] : [{ key, name, value: fieldAsWritten(value[key]!, field) }]
  })
  const known = new Set(found.map(({ key }) => key))
  const rest = Object.entries(value).filter(([key]) => !known.has(key))
  return Object.fromEntries([...found.map((each) => [each.name, each.value] as const), ...rest])
}

const isMap = (value: Json): value is { readonly [name: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const keyOf = (value: object, name: string, { alias }: Field): string | undefined =>
  [name, alias].find((key) => key !== undefined && Object.hasOwn(value, key))

const fieldAsWritten = (value: Json, { type }: Field): Json => {
  if (type.kind === 'record') return asWritten(value, type.fields)
  if (type.kind === 'or word') return asWritten(value, type.record.fields)
  if (type.kind !== 'list' || !Array.isArray(value)) return value
  const fields = fieldsOf(type.items)
  return (value as readonly Json[]).map((item) => asWritten(item, fields))
}
