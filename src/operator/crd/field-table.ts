import { defaultOf } from './describe.ts'
import type { Field, Fields, RecordType, Type } from './field-types.ts'

/** Rows of a table: keys that stand together, and what they stand in. */
export type Section = { readonly of: string; readonly record: RecordType }

/** The fields of some records as a table in Markdown, in the form that prettier gives it. */
export const fieldTable = (sections: readonly Section[]): string => {
  const rows = sections.flatMap(({ of, record }) => rowsOf(record.fields, of))
  return markdown([['key', 'of', 'holds', 'default', 'meaning'], ...rows])
}

/** `owner` is the optional field that these stand in. */
const rowsOf = (fields: Fields, of: string, prefix = '', owner?: string): string[][] =>
  Object.entries(fields).flatMap(([name, field]) => {
    const { type, required = false } = field
    // A record without a name of its own has no section either.
    if (type.kind === 'record' && type.name === undefined)
      return rowsOf(type.fields, of, `${prefix}${name}.`, required ? owner : name)
    return [[`\`${prefix}${name}\``, of, holds(type), standard(field, owner), meaning(field)]]
  })

const standard = (field: Field, owner: string | undefined): string => {
  if (field.required !== true) return defaultOf(field) ?? ''
  return owner === undefined ? 'required' : `required with \`${owner}\``
}

const meaning = ({ description, examples = [] }: Field): string =>
  examples.length === 0
    ? description
    : `${description} For example ${examples.map((example) => `\`${example}\``).join(' or ')}`

const holds = (type: Type): string => (holdings[type.kind] as (type: Type) => string)(type)

const holdings: { readonly [K in Type['kind']]: (type: Extract<Type, { kind: K }>) => string } = {
  text: ({ what }) => what,
  word: ({ of }) => of.map((word) => `\`${word}\``).join(', '),
  number: ({ whole, min, max }) => `${whole ? 'whole number' : 'number'}, ${min} to ${max}`,
  flag: () => '`true` or `false`',
  condition: () => 'expression',
  values: () => 'expressions by field',
  list: ({ itemsMax }) => `list, up to ${itemsMax}`,
  record: ({ name }) => `map: ${name}`,
  'or word': ({ record, word }) => `map: ${record.name}, or \`${word}\``,
  either: ({ name }) => `map: ${name}`
}

const markdown = (rows: readonly (readonly string[])[]): string => {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)))
  const widths = escaped[0]!.map((_, column) => Math.max(...escaped.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = escaped
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
