import { keyParts, type Projection } from '../projection.ts'
import type { PageRequest } from '../store.ts'
import { keyText, quoted, type TableNames, unusual } from './layout.ts'
import { indexed } from './text.ts'

/** A statement with the values of its placeholders. */
export type Statement = { readonly text: string; readonly values: readonly unknown[] }

/**
 * A read, with the moment that it is of: as one statement it sees one moment. `$1` is the id of the moment that the
 * reader knows, whose positions need not be told again.
 */
export const withMoment = ({ state, positions }: TableNames, read: Statement, id: string, order = ''): Statement => ({
  text: `
    SELECT s.version, s.id, r.*, CASE WHEN s.id <> $1 THEN (
      SELECT coalesce(json_object_agg(place, json_build_array(next, key, timestamp)), '{}') FROM ${positions}
    ) END AS positions
    FROM ${state} AS s LEFT JOIN LATERAL (${read.text}) AS r ON true ${order}`,
  values: [id, ...read.values]
})

export const selectNothing: Statement = { text: 'SELECT 1 WHERE false', values: [] }

/** Each with the number of its key among those asked for, from 1 on. */
export const selectRows = (tables: TableNames, projection: Projection, keys: readonly string[]): Statement => {
  const parts = keys.map((key) => keyParts(projection, key))
  const columns = projection.key.map(quoted).join(', ')
  const arrays = projection.key.map((_, i) => `$${i + 2}::text[]`).join(', ')
  return {
    text: `SELECT n, body FROM ${tableOf(tables, projection)}
      JOIN unnest(${arrays}) WITH ORDINALITY AS k (${columns}, n) USING (${columns})`,
    values: projection.key.map((_, i) => parts.map((of) => indexed(of[i]!)))
  }
}

/** The order of a list, by the columns that it has beside the rows. */
export const orderOf = ({ newestBy }: Projection): string =>
  newestBy === undefined ? 'ORDER BY r.row_key' : 'ORDER BY r.at DESC, r.row_key DESC'

export const listRows = (
  tables: TableNames,
  projection: Projection,
  filter: Readonly<Record<string, string | undefined>>,
  page: PageRequest
): Statement => {
  const { newestBy, shownBy, usual } = projection
  const where = new Where()
  if (shownBy !== undefined) where.add(`${quoted(shownBy)} IS NOT NULL`)
  for (const [name, value] of Object.entries(filter)) where.equal(name, value)
  // All but the usual have an index, which is taken only where the condition is said.
  const wanted = usual === undefined ? undefined : filter[usual.column]
  if (usual !== undefined && wanted !== undefined && wanted !== usual.value) where.add(unusual(usual))
  const key = keyText(projection)
  const time = newestBy === undefined ? undefined : quoted(newestBy)
  where.after(key, time, page)
  const order = time === undefined ? key : `${time} DESC, ${key} DESC`
  return where.select(`body, ${time ?? 0} AS at, ${key} AS row_key`, tableOf(tables, projection), order, page)
}

export const countRows = (
  tables: TableNames,
  projection: Projection,
  { by, until }: NonNullable<Projection['counts']>
): Statement => {
  const columns = by.map(quoted).join(', ')
  const text = `SELECT ${columns}, count(*) AS count FROM ${tableOf(tables, projection)}
    WHERE ${quoted(until)} IS NULL GROUP BY ${columns}`
  return { text, values: [] }
}

export const countOrder = ({ by }: NonNullable<Projection['counts']>): string =>
  `ORDER BY ${by.map((name) => `r.${quoted(name)}`).join(', ')}`

const tableOf = ({ rows }: TableNames, { name }: Projection): string => {
  const table = rows.get(name)
  if (table === undefined) throw new TypeError(`the store has no projection '${name}'`)
  return table
}

/** The conditions of a list, joined by AND; its placeholders begin at `$2`. */
class Where {
  readonly #conditions: string[] = []
  readonly #values: unknown[] = []

  /** Each `?` of the condition stands for one of the values. */
  add(condition: string, ...values: readonly unknown[]): this {
    let count = this.#values.length + 1
    this.#conditions.push(condition.replaceAll('?', () => `$${++count}`))
    this.#values.push(...values)
    return this
  }

  equal(column: string, value: string | undefined): this {
    return value === undefined ? this : this.add(`${quoted(column)} = ?`, indexed(value))
  }

  after(key: string, time: string | undefined, { after }: PageRequest): this {
    if (after === undefined) return this
    if (time === undefined) return this.add(`${key} > ?`, after.key)
    return this.add(`(${time}, ${key}) < (?::bigint, ?::text)`, after.at, after.key)
  }

  select(columns: string, table: string, order: string, page: PageRequest): Statement {
    const where = this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
    const text = `SELECT ${columns} FROM ${table} ${where} ORDER BY ${order} LIMIT $${this.#values.length + 2}`
    return { text, values: [...this.#values, page.limit + 1] }
  }
}
