import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { systemClock } from '../../src/base/index.ts'
import type { ViewStore } from '../../src/view/index.ts'
import { shopLayout } from '../helpers/shop-parts.ts'
import { openPostgresViewStore, parsePostgresUrl, type PostgresAddress } from '../../src/view/postgres/index.ts'

/** The PostgreSQL of the tests, as `postgres://user:password@host:port/database`; its user may make schemas. */
export const databaseUrl = process.env['TEST_DATABASE_URL']

export const whyNoDatabase = 'TEST_DATABASE_URL names no PostgreSQL'

/** A schema of a test's own. */
export type Schema = {
  readonly name: string
  /** Of the database, with this schema in it. */
  readonly url: string
  /** By another client. */
  readonly query: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>
  /** Keeps everybody from a table of it, until the function that it gives is called. */
  readonly lock: (table: string) => Promise<() => Promise<void>>
  readonly drop: () => Promise<void>
}

export const newSchema = async (url: string): Promise<Schema> => {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const client = new Client({ connectionString: url })
  await client.connect()
  const query: Schema['query'] = async (text, values) => (await client.query(text, values)).rows as never
  await query(`CREATE SCHEMA ${name}`)
  // Of its own, as one that is in a transaction sees what others do only as it was when it looked first.
  const lock: Schema['lock'] = async (table) => {
    const locker = new Client({ connectionString: url })
    await locker.connect()
    await locker.query(`BEGIN; LOCK TABLE ${name}.${table} IN ACCESS EXCLUSIVE MODE`)
    return () => locker.end()
  }
  const drop = async (): Promise<void> => {
    await query(`DROP SCHEMA IF EXISTS ${name} CASCADE`)
    await client.end()
  }
  return { name, url: withParameter(url, 'schema', name), query, lock, drop }
}

export const openPostgres = (
  url: string,
  options: Partial<Omit<Parameters<typeof openPostgresViewStore>[0], 'address' | 'clock'>> = {}
): Promise<ViewStore> =>
  openPostgresViewStore({
    address: parsePostgresUrl(url) as PostgresAddress,
    clock: systemClock,
    layout: shopLayout,
    ...options
  })

export const withParts = (url: string, parts: Partial<URL>): string => {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(parts)) Reflect.set(changed, name, value)
  return changed.toString()
}

export const withParameter = (url: string, name: string, value: string): string => {
  const changed = new URL(url)
  changed.searchParams.set(name, value)
  return changed.toString()
}
