import type { SQLInputValue } from 'node:sqlite'
import { isServedByKey, listFor, type ListBy, primaryKey, type Projection } from '../projection.ts'
import type { PageRequest } from '../store.ts'

/** The table and the indexes of a projection, and what lists ask of them. */

export const quoted = (name: string): string => `"${name}"`

/**
 * Every write pays for every index, so the usual end has none of its own: whoever lists those finds them by time, as
 * nearly all are. Where they are not, the column is in the index, so that no row is read to be left out.
 */
export const tableOf = (projection: Projection): string => {
  const { name, key, columns, lists, counts } = projection
  const declared = Object.entries(columns).map(
    ([column, { type }]) => `${quoted(column)} ${type.toUpperCase()}${key.includes(column) ? ' NOT NULL' : ''}`
  )
  const primary = primaryKey(projection).map(quoted).join(', ')
  const indexes = lists.filter((list) => !isServedByKey(projection, list)).map((list) => indexOf(projection, list))
  return `
    CREATE TABLE ${quoted(name)} (
      ${declared.join(', ')}, body TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (${primary})
    ) WITHOUT ROWID;
    ${indexes.join('\n')}
    ${counts === undefined ? '' : indexOfCounts(name, counts)}`
}

const indexName = (name: string, { by }: ListBy): string => quoted([name, 'by', ...by].join('_'))

const indexOf = (projection: Projection, list: ListBy): string => {
  const { name, newestBy, usual } = projection
  const isPart = usual !== undefined && list.by.includes(usual.column)
  const order = newestBy === undefined ? projection.key : [newestBy]
  const columns = new Set([...list.by, ...order, ...(usual === undefined ? [] : [usual.column])])
  const only = isPart ? `WHERE ${unusual(usual)}` : ''
  return `CREATE INDEX ${indexName(name, list)} ON ${quoted(name)} (${[...columns].map(quoted).join(', ')}) ${only};`
}

const indexOfCounts = (name: string, { by, until }: NonNullable<Projection['counts']>): string =>
  `CREATE INDEX ${quoted(`${name}_counts`)} ON ${quoted(name)} (${by.map(quoted).join(', ')})
    WHERE ${quoted(until)} IS NULL;`

const unusual = ({ column, value }: NonNullable<Projection['usual']>): string =>
  `${quoted(column)} <> '${value.replaceAll("'", "''")}'`

/**
 * A list names its index: SQLite, which does not know how the rows are spread, would rather sort the whole table than
 * read it by time until the page is full.
 */
export const listStatement = (
  projection: Projection,
  filter: Readonly<Record<string, string | undefined>>,
  page: PageRequest
): { readonly text: string; readonly values: SQLInputValue[] } => {
  const { name, newestBy, columns } = projection
  const list = listFor(projection, filter)
  const index = list === undefined || isServedByKey(projection, list) ? '' : `INDEXED BY ${indexName(name, list)}`
  const { conditions, values } = conditionsOf(projection, filter)
  // Of several columns, a key is one text, as whoever asks for the next page has it.
  const key = projection.key.map(quoted).join(" || '/' || ")
  const { after } = page
  if (after !== undefined) {
    conditions.push(newestBy === undefined ? `${key} > ?` : `(${quoted(newestBy)}, ${key}) < (?, ?)`)
    values.push(...(newestBy === undefined ? [after.key] : [after.at, after.key]))
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const order = newestBy === undefined ? key : `${quoted(newestBy)} DESC, ${key} DESC`
  const all = [...Object.keys(columns).map(quoted), 'body', 'crc'].join(', ')
  return {
    text: `SELECT ${all} FROM ${quoted(name)} ${index} ${where} ORDER BY ${order} LIMIT ?`,
    values: [...values, page.limit + 1]
  }
}

/** A condition on the unusual is what lets SQLite take the index that has no others. */
const conditionsOf = (
  { shownBy, usual }: Projection,
  filter: Readonly<Record<string, string | undefined>>
): { readonly conditions: string[]; readonly values: SQLInputValue[] } => {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined) as [string, string][]
  const conditions = given.map(([column]) => `${quoted(column)} = ?`)
  if (shownBy !== undefined) conditions.push(`${quoted(shownBy)} IS NOT NULL`)
  const wanted = usual === undefined ? undefined : filter[usual.column]
  if (usual !== undefined && wanted !== undefined && wanted !== usual.value) conditions.push(unusual(usual))
  return { conditions, values: given.map(([, value]) => value) }
}
