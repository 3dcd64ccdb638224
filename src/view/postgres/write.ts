import { setImmediate as nextTurn } from 'node:timers/promises'
import { changing, type ColumnValue, primaryKey, type Projection } from '../projection.ts'
import type { ViewChange } from '../store.ts'
import { quoted, type TableNames } from './layout.ts'
import type { Statement } from './statements.ts'
import { indexed, stored } from './text.ts'

/**
 * One statement, and so one transaction that no pause or end of this process leaves half open: it moves the state on
 * from the moment `from` to the moment `to`, and only where that has worked there is a row of `turn`, without which
 * nothing is put anywhere.
 */
export class WriteStatement {
  readonly #projections: readonly Projection[]
  readonly #text: string

  constructor(tables: TableNames, projections: readonly Projection[]) {
    this.#projections = projections
    this.#text = textOf(tables, projections)
  }

  async of(change: ViewChange, from: string, to: string): Promise<Statement> {
    const values = [from, to, ...positionColumns(change), ...skippedColumns(change)]
    for (const projection of this.#projections)
      values.push(...(await rowColumns(projection, change.rows.get(projection.name) ?? [])))
    return { text: this.#text, values }
  }
}

/** The placeholders of positions and skipped records end with this one. */
const ownPlaceholders = 10

const textOf = ({ state, positions, skipped, rows }: TableNames, projections: readonly Projection[]): string => {
  let last = ownPlaceholders
  const puts = projections.map((projection) => {
    const first = last + 1
    last += Object.keys(projection.columns).length + 1
    return putRows(rows.get(projection.name)!, projection, first)
  })
  return `
  WITH turn AS (UPDATE ${state} SET version = version + 1, id = $2 WHERE id = $1 RETURNING version),
  put_positions AS (
    INSERT INTO ${positions} (place, next, key, timestamp)
    SELECT p.* FROM turn, unnest($3::text[], $4::bigint[], $5::text[], $6::bigint[]) AS p
    ON CONFLICT (place) DO UPDATE SET next = excluded.next, key = excluded.key, timestamp = excluded.timestamp
  ), put_skipped AS (
    INSERT INTO ${skipped} (place, "offset", code, message)
    SELECT s.* FROM turn, unnest($7::text[], $8::bigint[], $9::text[], $10::text[]) AS s ON CONFLICT DO NOTHING
  )${puts.join('')}
  SELECT version FROM turn`
}

/** Its columns from the placeholder `first` on, then the bodies. */
const putRows = (table: string, projection: Projection, first: number): string => {
  const entries = Object.entries(projection.columns)
  const columns = entries.map(([name]) => quoted(name)).join(', ')
  const arrays = entries.map(([, { type }], i) => `$${first + i}::${type === 'text' ? 'text' : 'bigint'}[]`)
  const set = [...changing(projection).map(quoted), 'body'].map((name) => `${name} = excluded.${name}`).join(', ')
  return `, put_${projection.name}_rows AS (
    INSERT INTO ${table} (${columns}, body)
    SELECT ${entries.map(([name]) => `r.${quoted(name)}`).join(', ')}, r.body::json
    FROM turn, unnest(${arrays.join(', ')}, string_to_array($${first + entries.length}, E'\\n')) AS r (${columns}, body)
    ON CONFLICT (${primaryKey(projection).map(quoted).join(', ')}) DO UPDATE SET ${set}
  )`
}

const positionColumns = ({ positions }: ViewChange): unknown[] => {
  const all = [...positions]
  return [
    all.map(([place]) => place),
    all.map(([, { next }]) => next),
    all.map(([, { key }]) => stored(key)),
    all.map(([, { timestamp }]) => timestamp)
  ]
}

const skippedColumns = ({ skipped }: ViewChange): unknown[] => [
  skipped.map(({ place }) => place),
  skipped.map(({ offset }) => offset),
  skipped.map(({ code }) => code),
  skipped.map(({ message }) => stored(message))
]

const rowColumns = async (projection: Projection, rows: readonly object[]): Promise<unknown[]> => {
  const columns = Object.values(projection.columns).map((column) => rows.map((row) => storedValue(column.of(row))))
  return [...columns, await jsonLines(rows)]
}

const storedValue = (value: ColumnValue | undefined): ColumnValue => {
  if (value === undefined) throw new TypeError('a row lacks what one of its columns is made of')
  return typeof value === 'string' ? indexed(value) : value
}

/** About a millisecond each. */
const rowsPerSlice = 200

/** A row a line, which JSON never has within: cheaper than an array, each of whose quotes would have to be escaped. */
const jsonLines = async (rows: readonly object[]): Promise<string> => {
  const lines: string[] = []
  for (const [i, row] of rows.entries()) {
    if (i % rowsPerSlice === rowsPerSlice - 1) await nextTurn()
    lines.push(JSON.stringify(row))
  }
  return lines.join('\n')
}
