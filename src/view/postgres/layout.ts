import type { Database, Query } from './database.ts'
import { refused, unavailable } from './failure.ts'

/**
 * Raise it with every change of the tables, of a row's JSON or of a fold. Each layout has tables of its own, so that
 * during an upgrade the processes of either version have theirs.
 */
const layoutVersion = 3

const oldestServer = 13

const tableNames = ['state', 'positions', 'orders', 'stock', 'sagas', 'skipped'] as const

/** The tables with their schema, as they stand in a statement. */
export type TableNames = { readonly [T in (typeof tableNames)[number]]: string }

/**
 * Finds or makes the tables. `hasOlder`: there are tables of other layouts, and those of this one are new.
 */
export const prepareLayout = (
  database: Database,
  wanted: string | undefined
): Promise<{ readonly tables: TableNames; readonly schema: string; readonly hasOlder: boolean }> =>
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
    const tables = namesIn(schema)
    const layouts = await layoutsIn(query, schema)
    const isNew = !layouts.includes(layoutVersion) || !(await areWhole(query, schema))
    if (isNew) await query(`DROP TABLE IF EXISTS ${Object.values(tables).join(', ')}; ${createTables(tables)}`)
    return { tables, schema, hasOlder: isNew && layouts.length > 0 }
  })

/** Removes the tables of older layouts. */
export const dropOlderLayouts = async (database: Database, schema: string): Promise<void> => {
  await database.transaction(async (query) => {
    const older = (await layoutsIn(query, schema)).filter((layout) => layout < layoutVersion)
    const tables = older.flatMap((layout) => Object.values(namesIn(schema, layout)))
    if (tables.length > 0) await query(`DROP TABLE IF EXISTS ${tables.join(', ')}`)
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

const layoutsIn = async (query: Query, schema: string): Promise<readonly number[]> => {
  const rows = await query('SELECT tablename AS name FROM pg_tables WHERE schemaname = $1', [schema])
  return rows.flatMap(({ name }) => {
    const layout = /^parcomolo_view_(\d{1,9})_state$/.exec(String(name))?.[1]
    return layout === undefined ? [] : [Number(layout)]
  })
}

/** Somebody may have dropped some of them. */
const areWhole = async (query: Query, schema: string): Promise<boolean> => {
  const names = tableNames.map((name) => `parcomolo_view_${layoutVersion}_${name}`)
  const text = 'SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = ANY ($2::text[])'
  return (await query(text, [schema, names])).length === tableNames.length
}

const namesIn = (schema: string, layout = layoutVersion): TableNames =>
  Object.fromEntries(
    tableNames.map((name) => [name, `${quoted(schema)}.parcomolo_view_${layout}_${name}`])
  ) as TableNames

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * As in SQLite; the rows' JSON as `json`, since `jsonb` refuses what a foreign participant may write into a text. Texts
 * are compared by their bytes, so that a page goes on where the one before has ended, whatever the language.
 */
const createTables = ({ state, positions, orders, stock, sagas, skipped }: TableNames): string => `
  CREATE TABLE ${state} (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), version bigint NOT NULL, id uuid NOT NULL
  );
  INSERT INTO ${state} (version, id) VALUES (0, gen_random_uuid());
  CREATE TABLE ${positions} (
    place text COLLATE "C" PRIMARY KEY, next bigint NOT NULL, key text NOT NULL, timestamp bigint NOT NULL
  );
  CREATE TABLE ${orders} (
    id text COLLATE "C" PRIMARY KEY, placed_at bigint, customer_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL, body json NOT NULL
  );
  CREATE INDEX ON ${orders} (placed_at, id);
  CREATE INDEX ON ${orders} (customer_id, placed_at, id);
  CREATE INDEX ON ${orders} (status, placed_at, id) WHERE status <> 'COMPLETED';
  CREATE TABLE ${stock} (sku text COLLATE "C" PRIMARY KEY, is_set boolean NOT NULL, body json NOT NULL);
  CREATE TABLE ${sagas} (
    key text COLLATE "C" NOT NULL, saga text COLLATE "C" NOT NULL, revision text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL, started_at bigint NOT NULL, ended_at bigint, body json NOT NULL,
    PRIMARY KEY (key, saga)
  );
  CREATE INDEX ON ${sagas} (started_at, (saga || '/' || key));
  CREATE INDEX ON ${sagas} (saga, started_at, (saga || '/' || key));
  CREATE INDEX ON ${sagas} (saga, status, started_at) WHERE status <> 'completed';
  CREATE INDEX ON ${sagas} (status, started_at) WHERE status <> 'completed';
  CREATE INDEX ON ${sagas} (saga, revision) WHERE ended_at IS NULL;
  CREATE TABLE ${skipped} (
    place text COLLATE "C", "offset" bigint, code text NOT NULL, message text NOT NULL, PRIMARY KEY (place, "offset")
  );
`
