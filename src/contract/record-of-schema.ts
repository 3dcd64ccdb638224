import { type FieldType, type RecordType } from './contract.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * The record that a schema stands for, as if a contract had declared it. Undefined where it has what a contract cannot
 * have: `fixed`, a record that holds itself, a name that is not defined.
 */
export const recordOfSchema = (schema: Json): RecordType | undefined => {
  const type = new Reader().typeOf(schema, '')
  if (type?.kind !== 'record') return undefined
  const { name, namespace } = namesOf(schema, '')
  const key = (schema['fields'] as readonly Json[]).find((field) => field['key'] === true)?.['name']
  return {
    ...{ name, fullName: namespace === '' ? name : `${namespace}.${name}`, schema, fields: type.fields },
    ...(typeof key === 'string' && { key })
  }
}

const primitives: ReadonlySet<unknown> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string'
])

class Reader {
  /** By full name; undefined while it is being read. */
  readonly #named = new Map<string, FieldType | undefined>()

  typeOf(schema: unknown, namespace: string): FieldType | undefined {
    if (primitives.has(schema)) return { kind: schema as 'null' }
    if (typeof schema === 'string')
      return this.#named.get(schema.includes('.') || namespace === '' ? schema : `${namespace}.${schema}`)
    if (Array.isArray(schema)) return this.#union(schema, namespace)
    return typeof schema === 'object' && schema !== null ? this.#complex(schema as Json, namespace) : undefined
  }

  #union(branches: readonly unknown[], namespace: string): FieldType | undefined {
    const of = branches.map((branch) => this.typeOf(branch, namespace))
    return of.every((type) => type !== undefined) ? { kind: 'union', of } : undefined
  }

  #complex(schema: Json, namespace: string): FieldType | undefined {
    switch (schema['type']) {
      case 'array': {
        const items = this.typeOf(schema['items'], namespace)
        return items && { kind: 'array', items }
      }
      case 'map': {
        const values = this.typeOf(schema['values'], namespace)
        return values && { kind: 'map', values }
      }
      case 'record':
      case 'enum':
        return this.#declared(schema, namespace)
      default:
        return this.typeOf(schema['type'], namespace)
    }
  }

  #declared(schema: Json, outer: string): FieldType | undefined {
    const { name, namespace } = namesOf(schema, outer)
    const fullName = namespace === '' ? name : `${namespace}.${name}`
    this.#named.set(fullName, undefined)
    const symbols = schema['symbols'] as readonly string[]
    const type: FieldType | undefined =
      schema['type'] === 'enum' ? { kind: 'enum', name, symbols } : this.#record(schema, name, namespace)
    this.#named.set(fullName, type)
    return type
  }

  #record(schema: Json, name: string, namespace: string): FieldType | undefined {
    const fields: RecordType['fields'][number][] = []
    for (const field of schema['fields'] as readonly Json[]) {
      const type = this.typeOf(field['type'], namespace)
      if (type === undefined) return undefined
      fields.push({ name: String(field['name']), type, hasDefault: 'default' in field })
    }
    return { kind: 'record', name, fields }
  }
}

/** A name with dots brings its namespace along. */
const namesOf = (schema: Json, outer: string): { name: string; namespace: string } => {
  const written = String(schema['name'])
  const dot = written.lastIndexOf('.')
  if (dot !== -1) return { name: written.slice(dot + 1), namespace: written.slice(0, dot) }
  return { name: written, namespace: typeof schema['namespace'] === 'string' ? schema['namespace'] : outer }
}
