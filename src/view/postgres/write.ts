import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ViewChange } from '../store.ts'
import type { TableNames } from './layout.ts'
import type { Statement } from './statements.ts'
import { indexed, stored } from './text.ts'

/**
 * One statement, and so one transaction that no pause or end of this process leaves half open: it moves the state on
 * from the moment `from` to the moment `to`, and only where that has worked there is a row of `turn`, without which
 * nothing is put anywhere.
 */
export const writeStatement = async (
  tables: TableNames,
  change: ViewChange,
  from: string,
  to: string
): Promise<Statement> => {
  const columns = [from, to, ...positionColumns(change), ...skippedColumns(change), ...(await rowColumns(change))]
  return { text: textOf(tables), values: columns }
}

const textOf = ({ state, positions, orders, stock, sagas, skipped }: TableNames): string => `
  WITH turn AS (UPDATE ${state} SET version = version + 1, id = $2 WHERE id = $1 RETURNING version),
  put_positions AS (
    INSERT INTO ${positions} (place, next, key, timestamp)
    SELECT p.* FROM turn, unnest($3::text[], $4::bigint[], $5::text[], $6::bigint[]) AS p
    ON CONFLICT (place) DO UPDATE SET next = excluded.next, key = excluded.key, timestamp = excluded.timestamp
  ), put_skipped AS (
    INSERT INTO ${skipped} (place, "offset", code, message)
    SELECT s.* FROM turn, unnest($7::text[], $8::bigint[], $9::text[], $10::text[]) AS s ON CONFLICT DO NOTHING
  ), put_orders AS (
    INSERT INTO ${orders} (id, placed_at, customer_id, status, body)
    SELECT o.id, o.placed_at, o.customer_id, o.status, o.body::json
    FROM turn, unnest($11::text[], $12::bigint[], $13::text[], $14::text[], string_to_array($15, E'\\n'))
      AS o (id, placed_at, customer_id, status, body)
    ON CONFLICT (id) DO UPDATE SET placed_at = excluded.placed_at, customer_id = excluded.customer_id,
      status = excluded.status, body = excluded.body
  ), put_sagas AS (
    INSERT INTO ${sagas} (key, saga, revision, status, started_at, ended_at, body)
    SELECT i.key, i.saga, i.revision, i.status, i.started_at, i.ended_at, i.body::json
    FROM turn, unnest(
      $16::text[], $17::text[], $18::text[], $19::text[], $20::bigint[], $21::bigint[], string_to_array($22, E'\\n')
    ) AS i (key, saga, revision, status, started_at, ended_at, body)
    ON CONFLICT (key, saga) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at, body = excluded.body
  ), put_stock AS (
    INSERT INTO ${stock} (sku, is_set, body)
    SELECT k.sku, k.is_set, k.body::json
    FROM turn, unnest($23::text[], $24::boolean[], string_to_array($25, E'\\n')) AS k (sku, is_set, body)
    ON CONFLICT (sku) DO UPDATE SET is_set = excluded.is_set, body = excluded.body
  )
  SELECT version FROM turn`

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

const rowColumns = async ({ orders, sagas, stock }: ViewChange): Promise<unknown[]> => [
  orders.map(({ orderId }) => indexed(orderId)),
  orders.map(({ placedAt }) => placedAt),
  orders.map(({ customerId }) => indexed(customerId)),
  orders.map(({ status }) => status),
  await jsonLines(orders),
  sagas.map(({ key }) => indexed(key)),
  sagas.map(({ saga }) => indexed(saga)),
  sagas.map(({ revision }) => indexed(revision)),
  sagas.map(({ status }) => status),
  sagas.map(({ startedAt }) => startedAt),
  sagas.map(({ endedAt }) => endedAt),
  await jsonLines(sagas),
  stock.map(({ sku }) => indexed(sku)),
  stock.map(({ isSet }) => isSet),
  await jsonLines(stock)
]

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
