import type { ViewLayout } from '../layout.ts'
import { isServedByKey, type ListBy, primaryKey, type Projection } from '../projection.ts'
import type { Database, Query } from './database.ts'
import { refused, unavailable } from './failure.ts'

const oldestServer = 13

/** The engine's own tables, beside one for each projection. */
const ownTables = ['state', 'positions', 'skipped'] as const

/** The tables with their schema, as they stand in a statement. */
export type TableNames = { readonly [T in (typeof ownTables)[number]]: string } & {
  /** By the name of their projection. */
  readonly rows: ReadonlyMap<string, string>
}

export type PreparedLayout = {
  readonly tables: TableNames
  readonly schema: string
  /** There are tables of other layouts, and those of this one are new. */
  readonly hasOlder: boolean
}

/**
 * Finds or makes the tables. Each layout has tables of its own, so that during an upgrade the processes of either
 * version have theirs.
 */
export const prepareLayout = (
  database: Database,
  layout: ViewLayout,
  wanted: string | undefined
): Promise<PreparedLayout> =>
  database.transaction(async (query) => {
    const [server] = await query(
      `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby, current_schema() AS schema`
    )
    checkServer(database.name, String(server!['version']), server!['standby'] === true)
    // Several processes may start at once.
    await query(`SELECT pg_advisory_xact_lock(hashtext('parcomolo view'))`)
    const schema = wanted ?? (server!['schema'] as string | null)
    if (schema === null) throw refused(database.name, `none of the schemas in the user's search_path exists`)
    if (wanted !== undefined) await ensureSchema(query, wanted)
    const tables = namesIn(schema, layout)
    const found = await tablesIn(query, schema)
    const isNew = !(await isThere(query, layout, tables, found))
    if (isNew) {
      const old = found.filter((one) => one.version === layout.version).map(({ name }) => inSchema(schema, name))
      if (old.length > 0) await query(`DROP TABLE ${old.join(', ')}`)
      await query(createTables(layout, tables))
    }
    return { tables, schema, hasOlder: isNew && found.some(({ name }) => name.endsWith('_state')) }
  })

/** Removes the tables of older layouts. */
export const dropOlderLayouts = async (database: Database, schema: string, { version }: ViewLayout): Promise<void> => {
  await database.transaction(async (query) => {
    const older = (await tablesIn(query, schema)).filter((table) => table.version < version)
    const names = older.map(({ name }) => inSchema(schema, name))
    if (names.length > 0) await query(`DROP TABLE IF EXISTS ${names.join(', ')}`)
    return true
  })
}

const checkServer = (name: string, version: string, isStandby: boolean): void => {
  if (Number.parseInt(version, 10) < oldestServer)
    throw refused(name, `its server is PostgreSQL '${version}'; expected ${oldestServer} or newer`)
  // It may become the primary, or the name may lead to that again.
  if (isStandby) throw unavailable(name, standby)
}

/** As a server says it of itself, once somebody writes. */
const standby = { message: 'its server is a standby, which takes no writes', code: '25006', severity: 'ERROR' }

const ensureSchema = async (query: Query, schema: string): Promise<void> => {
  const found = await query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  if (found.length === 0) await query(`CREATE SCHEMA ${quoted(schema)}`)
}

type FoundTable = { readonly name: string; readonly version: number }

/** Those of all layouts. */
const tablesIn = async (query: Query, schema: string): Promise<readonly FoundTable[]> => {
  const rows = await query('SELECT tablename AS name FROM pg_tables WHERE schemaname = $1', [schema])
  return rows.flatMap(({ name }) => {
    const version = /^parcomolo_view_(\d{1,9})_[a-z0-9_]+$/.exec(String(name))?.[1]
    return version === undefined ? [] : [{ name: String(name), version: Number(version) }]
  })
}

/** All of them, as somebody may have dropped some; and none of another application's. */
const isThere = async (
  query: Query,
  { projections, version, said }: ViewLayout,
  tables: TableNames,
  found: readonly FoundTable[]
): Promise<boolean> => {
  const wanted = [...ownTables, ...projections.map(({ name }) => name)].map((name) => tableName(version, name))
  if (!wanted.every((name) => found.some((table) => table.name === name))) return false
  const [state] = await query(`SELECT layout FROM ${tables.state}`)
  return state === undefined || state['layout'] === said
}

const tableName = (version: number, name: string): string => `parcomolo_view_${version}_${name}`

const inSchema = (schema: string, name: string): string => `${quoted(schema)}.${quoted(name)}`

const namesIn = (schema: string, { version, projections }: ViewLayout): TableNames => {
  const named = (name: string): string => inSchema(schema, tableName(version, name))
  return {
    state: named('state'),
    positions: named('positions'),
    skipped: named('skipped'),
    rows: new Map(projections.map(({ name }) => [name, named(name)]))
  }
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A row's key as one text, as whoever asks for the next page has it. */
export const keyText = ({ key }: Projection): string => `(${key.map(quoted).join(" || '/' || ")})`

/** What nearly all rows are in the end has no index of its own, as every write would pay for it. */
export const unusual = ({ column, value }: NonNullable<Projection['usual']>): string =>
  `${quoted(column)} <> '${value.replaceAll("'", "''")}'`

/**
 * As in SQLite; the rows' JSON as `json`, since `jsonb` refuses what a foreign participant may write into a text. Texts
 * are compared by their bytes, so that a page goes on where the one before has ended, whatever the language.
 */
const createTables = ({ projections, said }: ViewLayout, { state, positions, skipped, rows }: TableNames): string => `
  CREATE TABLE ${state} (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), version bigint NOT NULL, id uuid NOT NULL,
    layout text NOT NULL
  );
  INSERT INTO ${state} (version, id, layout) VALUES (0, gen_random_uuid(), '${said}');
  CREATE TABLE ${positions} (
    place text COLLATE "C" PRIMARY KEY, next bigint NOT NULL, key text NOT NULL, timestamp bigint NOT NULL
  );
  CREATE TABLE ${skipped} (
    place text COLLATE "C", "offset" bigint, code text NOT NULL, message text NOT NULL, PRIMARY KEY (place, "offset")
  );
  ${projections.map((projection) => createTable(projection, rows.get(projection.name)!)).join('')}`

const createTable = (projection: Projection, table: string): string => {
  const { columns, key, lists, counts } = projection
  const declared = Object.entries(columns).map(([name, { type }]) => {
    const kind = type === 'text' ? 'text COLLATE "C"' : 'bigint'
    return `${quoted(name)} ${kind}${key.includes(name) ? ' NOT NULL' : ''}`
  })
  const indexed = lists.filter((list) => !isServedByKey(projection, list))
  const indexes = indexed.map((list) => `CREATE INDEX ON ${table} ${indexOf(projection, list)};`)
  if (counts !== undefined)
    indexes.push(
      `CREATE INDEX ON ${table} (${counts.by.map(quoted).join(', ')}) WHERE ${quoted(counts.until)} IS NULL;`
    )
  const primary = primaryKey(projection).map(quoted).join(', ')
  return `
    CREATE TABLE ${table} (${declared.join(', ')}, body json NOT NULL, PRIMARY KEY (${primary}));
    ${indexes.join('\n')}`
}

const indexOf = (projection: Projection, { by }: ListBy): string => {
  const { newestBy, usual } = projection
  const columns = [...by, ...(newestBy === undefined ? [] : [newestBy])].map(quoted)
  const only = usual !== undefined && by.includes(usual.column) ? ` WHERE ${unusual(usual)}` : ''
  return `(${[...columns, keyText(projection)].join(', ')})${only}`
}
