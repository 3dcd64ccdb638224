import avro, { type Type } from 'avsc'
import { type Readable } from './avro-type.ts'

/**
 * Reads what was written with one type as another one that lacks some of its fields, and keeps these: whoever was made
 * for the older one still finds what he knows. Undefined where nothing is lacking.
 */
export const wholeReader = (written: Type & Readable, current: Type, resolved: Readable): Readable | undefined => {
  if (!lacksFields(current, written, new Set())) return undefined
  return {
    _read: (tap) => {
      const start = tap.pos
      const all = written._read(tap)
      tap.pos = start
      return merged(all, resolved._read(tap))
    }
  }
}

/** A foreign record may hold itself. */
const lacksFields = (current: Type, written: Type, seen: Set<Type>): boolean => {
  if (seen.has(written)) return false
  seen.add(written)
  if (isRecord(current) && isRecord(written)) {
    return written.fields.some(({ name, type }) => {
      const own = current.fields.find((field) => field.name === name || field.aliases.includes(name))
      return own === undefined || lacksFields(own.type, type, seen)
    })
  }
  const parts = partsOf(written)
  return partsOf(current).some((own) =>
    parts.some((part) => own.typeName === part.typeName && lacksFields(own, part, seen))
  )
}

/** What a list, a map or a union is made of. */
const partsOf = (type: Type): readonly Type[] => {
  if (type instanceof avro.types.ArrayType) return [type.itemsType]
  if (type instanceof avro.types.MapType) return [type.valuesType]
  return 'types' in type ? (type.types as Type[]) : []
}

type RecordType = Type & { readonly fields: readonly avro.types.Field[] }

const isRecord = (type: Type): type is RecordType => 'fields' in type

const merged = (all: unknown, value: unknown): unknown => {
  if (Array.isArray(all) && Array.isArray(value)) return value.map((item, i) => merged(all[i], item))
  if (!isPlain(all) || !isPlain(value)) return value
  const members = Object.entries(value).map(([name, member]) => [name, merged(all[name], member)])
  return { ...all, ...Object.fromEntries(members) }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
