import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import {
  changing,
  type ColumnOf,
  type ColumnValue,
  keyIn,
  keyParts,
  type Packing,
  primaryKey,
  type Projection,
  type ShapeNumbers
} from '../projection.ts'
import type { Count, Page, PageRequest } from '../store.ts'
import { pageOf } from '../listing.ts'
import { listStatement, quoted } from './listing.ts'
import { crcOf } from './row-crc.ts'

/** The rows of one projection in the file; its statements are made once, from what the projection says. */
export class SqliteTable {
  readonly #projection: Projection
  readonly #database: DatabaseSync
  readonly #shapes: ShapeNumbers
  readonly #names: readonly string[]
  readonly #columns: readonly ColumnOf<object>[]
  readonly #packing: Packing
  /** Where the columns of text stand, which cannot keep every text. */
  readonly #texts: readonly number[]
  /** In the order of the primary key, where each part of a key stands. */
  readonly #keyOrder: readonly number[]
  readonly #get: StatementSync
  readonly #put: StatementSync

  constructor(database: DatabaseSync, projection: Projection, shapes: ShapeNumbers) {
    this.#projection = projection
    this.#database = database
    this.#shapes = shapes
    this.#names = Object.keys(projection.columns)
    this.#columns = Object.values(projection.columns)
    this.#packing = projection.packing ?? asJson
    this.#texts = this.#columns.flatMap(({ type }, i) => (type === 'text' ? [i] : []))
    this.#keyOrder = primaryKey(projection).map((name) => projection.key.indexOf(name))
    this.#get = database.prepare(selectByKey(projection))
    this.#put = database.prepare(upsert(projection))
  }

  get(key: string): object | undefined {
    const parts = keyParts(this.#projection, key)
    const found = this.#get.get(...this.#keyOrder.map((i) => parts[i]!))
    return found === undefined ? undefined : this.#row(found)
  }

  put(row: object): void {
    const values: ColumnValue[] = []
    for (const column of this.#columns) values.push(column.of(row))
    values.push(this.#body(row, values))
    values.push(crcOf(values))
    this.#put.run(...values)
  }

  list(filter: Readonly<Record<string, string | undefined>>, page: PageRequest): Page<object> {
    const { text, values } = listStatement(this.#projection, filter, page)
    const rows = this.#database
      .prepare(text)
      .all(...values)
      .map((found) => this.#row(found))
    const { newestBy, columns } = this.#projection
    const timeOf = (row: object): number => (newestBy === undefined ? 0 : Number(columns[newestBy]!.of(row)))
    return pageOf(rows, page, (row) => ({ at: timeOf(row), key: keyIn(this.#projection, row) }))
  }

  count(): readonly Count[] {
    const { name, counts } = this.#projection
    if (counts === undefined) return []
    const by = counts.by.map(quoted)
    const text = `SELECT ${by.join(', ')}, count(*) AS count FROM ${quoted(name)}
      WHERE ${quoted(counts.until)} IS NULL GROUP BY ${by.join(', ')}`
    const found = this.#database.prepare(text).all()
    return found.map((row) => ({ of: counts.by.map((column) => String(row[column])), count: Number(row['count']) }))
  }

  #body(row: object, values: readonly ColumnValue[]): string {
    const packed = this.#packing.pack(row, this.#shapes)
    for (const i of this.#texts)
      if ((values[i] as string | null)?.isWellFormed() === false) return JSON.stringify({ packed, exact: values })
    return JSON.stringify(packed)
  }

  /** Throws where it is not as it was written. */
  #row(found: Record<string, SQLOutputValue>): object {
    const values = this.#names.map((name) => found[name] as ColumnValue)
    const body = String(found['body'])
    if (found['crc'] !== crcOf([...values, body])) throw new WrongRow(this.#projection.name)
    const told = JSON.parse(body) as Body
    const { packed, exact } = 'exact' in told ? told : { packed: told, exact: values }
    const columns = Object.fromEntries(this.#names.map((name, i) => [name, exact[i]!]))
    return this.#packing.unpack(packed, columns, this.#shapes)
  }
}

/** What is packed; beside it the columns, where one cannot be kept as text: it has half of a surrogate pair. */
type Body = readonly unknown[] | { readonly packed: readonly unknown[]; readonly exact: readonly ColumnValue[] }

/** For a projection without a packing of its own. */
const asJson: Packing = { pack: (row) => [row], unpack: ([row]) => row as object }

export class WrongRow extends Error {
  constructor(name: string) {
    super(`a row of '${name}' is not as it was written`)
  }
}

const columnsOf = ({ columns }: Projection): string => [...Object.keys(columns).map(quoted), 'body', 'crc'].join(', ')

const selectByKey = (projection: Projection): string => {
  const key = primaryKey(projection).map((name) => `${quoted(name)} = ?`)
  return `SELECT ${columnsOf(projection)} FROM ${quoted(projection.name)} WHERE ${key.join(' AND ')}`
}

const upsert = (projection: Projection): string => {
  const places = Array.from({ length: Object.keys(projection.columns).length + 2 }, () => '?')
  const set = [...changing(projection).map(quoted), 'body', 'crc'].map((name) => `${name} = excluded.${name}`)
  return `INSERT INTO ${quoted(projection.name)} (${columnsOf(projection)}) VALUES (${places.join(', ')})
    ON CONFLICT (${primaryKey(projection).map(quoted).join(', ')}) DO UPDATE SET ${set.join(', ')}`
}
