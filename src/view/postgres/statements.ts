import { usualEnd } from '../listing.ts'
import type { OrderFilter, PageRequest, SagaFilter } from '../store.ts'
import type { TableNames } from './layout.ts'
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

export const selectRows = (
  tables: TableNames,
  table: 'orders' | 'stock' | 'sagas',
  keys: readonly string[]
): Statement => {
  if (table === 'sagas') {
    // A saga's name has no slash; its key may.
    const pairs = keys.map((key) => [key.slice(key.indexOf('/') + 1), key.slice(0, key.indexOf('/'))] as const)
    const values = [pairs.map(([key]) => indexed(key)), pairs.map(([, saga]) => indexed(saga))]
    return {
      text: `SELECT body FROM ${tables.sagas} JOIN unnest($2::text[], $3::text[]) AS k (key, saga) USING (key, saga)`,
      values
    }
  }
  const column = table === 'orders' ? 'id' : 'sku'
  return { text: `SELECT body FROM ${tables[table]} WHERE ${column} = ANY ($2::text[])`, values: [keys.map(indexed)] }
}

/** The order of the lists, by the columns that they have beside the rows. */
export const newestFirst = 'ORDER BY r.at DESC, r.row_key DESC'
export const bySku = 'ORDER BY r.row_key'
export const bySaga = 'ORDER BY r.saga, r.revision'

export const listOrders = ({ orders }: TableNames, filter: OrderFilter, page: PageRequest): Statement => {
  const where = new Where().add('placed_at IS NOT NULL').equal('customer_id', filter.customerId)
  where.status(filter.status, usualEnd.orders).before('(placed_at, id)', page)
  return where.select('body, placed_at AS at, id AS row_key', orders, 'placed_at DESC, id DESC', page)
}

export const listSagas = ({ sagas }: TableNames, filter: SagaFilter, page: PageRequest): Statement => {
  const where = new Where().equal('saga', filter.saga).equal('key', filter.key).status(filter.status, usualEnd.sagas)
  where.before(`(started_at, (saga || '/' || key))`, page)
  const columns = `body, started_at AS at, saga || '/' || key AS row_key`
  return where.select(columns, sagas, `started_at DESC, (saga || '/' || key) DESC`, page)
}

export const listStock = ({ stock }: TableNames, page: PageRequest): Statement => {
  const where = new Where().add('is_set')
  if (page.after !== undefined) where.add('sku > ?', page.after.key)
  return where.select('body, 0 AS at, sku AS row_key', stock, 'sku', page)
}

export const countRunning = ({ sagas }: TableNames): Statement => ({
  text: `SELECT saga, revision, count(*) AS count FROM ${sagas} WHERE ended_at IS NULL GROUP BY saga, revision`,
  values: []
})

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
    return value === undefined ? this : this.add(`${column} = ?`, indexed(value))
  }

  /** All but the usual status have an index, which is taken only where the condition is said. */
  status(value: string | undefined, usual: string): this {
    this.equal('status', value)
    return value === undefined || value === usual ? this : this.add(`status <> '${usual}'`)
  }

  before(columns: string, { after }: PageRequest): this {
    return after === undefined ? this : this.add(`${columns} < (?::bigint, ?::text)`, after.at, after.key)
  }

  select(columns: string, table: string, order: string, page: PageRequest): Statement {
    const where = this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
    const text = `SELECT ${columns} FROM ${table} ${where} ORDER BY ${order} LIMIT $${this.#values.length + 2}`
    return { text, values: [...this.#values, page.limit + 1] }
  }
}
