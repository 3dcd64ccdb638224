import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  databaseUrl,
  newSchema,
  openPostgres,
  type Schema,
  whyNoDatabase,
  withParameter,
  withParts
} from './database.ts'
import { throughRelay } from './relay.ts'
import { change, orderRow, rowsOf, write } from './store-contract.ts'
import { viewLayout } from '../../src/view/index.ts'
import { orders, shopLayout } from '../helpers/shop-parts.ts'
import { sold } from './sold.ts'

const caFile = process.env['TEST_DATABASE_CA_FILE']

if (databaseUrl === undefined) test.skip(`opening a PostgreSQL: ${whyNoDatabase}`, () => undefined)
else testOpening(databaseUrl)

function testOpening(url: string): void {
  testRefusals(url)
  testTls(url)
  testLayouts(url)
  testWaiting(url)
}

function testRefusals(url: string): void {
  test('a wrong password, user or database ends the start, and is not repeated in the message', async (t) => {
    await refusal(
      t,
      withParts(url, { password: 'not-the-password' }),
      /: password authentication failed for user "\w+"; /
    )
    await refusal(t, withParts(url, { username: 'nobody' }), /password authentication failed for user "nobody"/)
    await refusal(t, withParts(url, { password: '' }), /password must be a string/)
    await refusal(t, withParts(url, { pathname: '/no-such' }), /database "no-such" does not exist/)
  })

  test('a server that is too old is refused', async (t) => {
    const schema = await schemaOf(t, url)
    // Before the server's own function, this one is found.
    await schema.query(
      `CREATE FUNCTION ${schema.name}.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '12.4' $$`
    )
    const path = withParameter(schema.url, 'options', `-c search_path=${schema.name},pg_catalog`)
    await refusal(
      t,
      path,
      /its server is PostgreSQL '12\.4'; expected 13 or newer; change it there or in VIEW_DATABASE_URL$/
    )
  })

  test('a user who may not make tables is refused', async (t) => {
    const schema = await schemaOf(t, url)
    const role = `role_${schema.name}`
    await schema.query(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA ${schema.name} TO ${role}`)
    const asRole = withParts(schema.url, { username: role, password: 'pw' })
    await refusal(t, asRole, /permission denied for schema test_/)
    await refusal(t, withParameter(asRole, 'schema', `${schema.name}_2`), /permission denied for database/)
    await schema.query(`GRANT CREATE ON SCHEMA ${schema.name} TO ${role}`)
    await (await openPostgres(asRole)).close()
    await schema.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
}

function testTls(url: string): void {
  if (caFile === undefined) test.skip('TLS: TEST_DATABASE_CA_FILE names no authority of the server', () => undefined)
  else test('TLS is as the URL says it', (t) => showTls(t, url, caFile))

  test('a certificate that cannot be read is named', async (t) => {
    const file = join(await mkdtemp(join(tmpdir(), 'parcomolo-pem-')), 'ca.pem')
    t.teardown(() => rm(join(file, '..'), { recursive: true }))
    const tls = `sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`
    await refusal(
      t,
      `${withParameter(url, 'schema', 'x')}&${tls}`,
      /ca\.pem' of its sslrootcert cannot be read: ENOENT/
    )
    if (caFile === undefined) return
    await writeFile(file, 'no certificate')
    await refusal(t, `${withParameter(url, 'schema', 'x')}&${tls}`, /certificate|PEM/i)
  })
}

const showTls = async (t: ExecutionContext, url: string, authority: string): Promise<void> => {
  const schema = await schemaOf(t, url)
  const isEncrypted = async (tls: string): Promise<boolean> => {
    const store = await openPostgres(`${schema.url}&${tls}`)
    await store.moment()
    const query = `SELECT bool_and(ssl) AS is FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
      WHERE application_name = 'parcomolo view' AND query LIKE '%${schema.name}%'`
    const [row] = await schema.query(query)
    await store.close()
    return row!['is'] as boolean
  }
  t.false(await isEncrypted('sslmode=disable'))
  t.true(await isEncrypted('sslmode=require'))
  t.true(await isEncrypted(`sslmode=verify-ca&sslrootcert=${authority}`))
  t.true(await isEncrypted(`sslmode=verify-full&sslrootcert=${authority}`))
  await refusal(t, `${schema.url}&sslmode=verify-full`, /certificate/)
  const elsewhere = withParts(schema.url, { hostname: 'localhost' })
  await refusal(t, `${elsewhere}&sslmode=verify-full&sslrootcert=${authority}`, /does not match certificate/)
  await (await openPostgres(`${elsewhere}&sslmode=verify-ca&sslrootcert=${authority}`)).close()
}

const refusal = async (t: ExecutionContext, wrong: string, said: RegExp): Promise<void> => {
  const error = await t.throwsAsync(openPostgres(wrong), { code: 'PARCOMOLO_VIEW_STORE_REFUSED' })
  t.regex(error?.message ?? '', said)
  const { password } = new URL(databaseUrl!)
  t.notRegex(`${error?.stack} ${JSON.stringify(error)}`, new RegExp(`not-the-password|:${password}@`))
}

function testLayouts(url: string): void {
  const tablesIn = async ({ query, name }: Schema): Promise<string[]> =>
    (await query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [name]))
      .map((row) => String(row['tablename']))
      .toSorted()

  test('several processes that start at once make the tables once, in a schema that one of them makes', async (t) => {
    const schema = await schemaOf(t, url)
    await schema.query(`DROP SCHEMA ${schema.name}`)
    const stores = await Promise.all(Array.from({ length: 6 }, () => opened(t, schema.url)))
    await write(stores[0]!, change({ orders: [orderRow('o1', 1)] }))
    for (const store of stores) {
      t.false(store.wasReset)
      t.is((await rowsOf(store, orders, ['o1'])).size, 1)
    }
  })

  test('tables of an older layout stay until a view of this one has caught up', async (t) => {
    const schema = await schemaOf(t, url)
    const older = ['state', 'orders'].map((name) => `parcomolo_view_0_${name}`)
    const newer = `parcomolo_view_${shopLayout.version + 1}_state`
    for (const name of [...older, newer, 'somebody_elses'])
      await schema.query(`CREATE TABLE ${schema.name}.${name} (x int)`)
    const store = await opened(t, schema.url)
    t.true(store.wasReset)
    t.true((await tablesIn(schema)).includes(older[0]!))
    await store.dropOlder()
    const left = await tablesIn(schema)
    t.deepEqual(
      left.filter((name) => !name.startsWith(`parcomolo_view_${shopLayout.version}_`)),
      [newer, 'somebody_elses']
    )
    t.is(left.length, 8)
    t.false((await opened(t, schema.url)).wasReset)
  })

  test('tables of another application, even of the same version, are made anew', async (t) => {
    const schema = await schemaOf(t, url)
    const [mine, others] = [viewLayout([sold]), viewLayout([{ ...sold, name: 'bought' }])]
    t.is(mine.version, others.version)
    const first = await opened(t, schema.url, { layout: others })
    t.false(first.wasReset)
    const store = await opened(t, schema.url, { layout: mine })
    t.true(store.wasReset)
    t.deepEqual((await store.list(sold, {}, { limit: 1 })).found.rows, [])
    t.false((await opened(t, schema.url, { layout: mine })).wasReset)
  })

  test('without a schema in the URL, the first of the search_path is taken', async (t) => {
    const schema = await schemaOf(t, url)
    const bare = new URL(schema.url)
    bare.searchParams.delete('schema')
    const store = await opened(t, withParameter(bare.toString(), 'options', `-c search_path=none,${schema.name}`))
    await store.moment()
    t.is((await tablesIn(schema)).length, 6)
    const nowhere = withParameter(bare.toString(), 'options', '-c search_path=none')
    await t.throwsAsync(openPostgres(nowhere), { message: /none of the schemas in the user's search_path exists/ })
  })

  test('a store whose tables were emptied says so', async (t) => {
    const schema = await schemaOf(t, url)
    const store = await opened(t, schema.url)
    await schema.query(`TRUNCATE ${schema.name}.parcomolo_view_${shopLayout.version}_state`)
    await t.throwsAsync(store.moment(), { message: /its tables are not whole; drop them and start again/ })
  })
}

function testWaiting(url: string): void {
  test('a database that does not answer is waited for at the start, with the reason', async (t) => {
    const schema = await schemaOf(t, url)
    const { relay, url: through } = await throughRelay(t, schema.url)
    await relay.cut()
    const waiting = Promise.withResolvers<unknown>()
    const opening = opened(t, through, { onWaiting: waiting.resolve })
    const error = (await waiting.promise) as Error
    t.regex(error.message, /^the read model's database '127\.0\.0\.1:\d+\/\w+' does not answer: connect ECONNREFUSED /)
    await relay.open()
    t.is((await (await opening).moment()).version, 0)
  })

  test('a start that waits for the database can be ended', async (t) => {
    const { relay, url: through } = await throughRelay(t, url)
    await relay.cut()
    const stop = new AbortController()
    const reason = new Error('stop')
    const opening = openPostgres(through, { signal: stop.signal, onWaiting: () => stop.abort(reason) })
    t.is(await t.throwsAsync(opening), reason)
    await t.throwsAsync(openPostgres(through, { signal: AbortSignal.abort(reason) }), { is: reason })
  })

  test('a standby is waited for until it is the primary', async (t) => {
    const schema = await schemaOf(t, url)
    const recovery = `${schema.name}.pg_is_in_recovery()`
    await schema.query(`CREATE FUNCTION ${recovery} RETURNS boolean LANGUAGE sql AS $$ SELECT true $$`)
    const path = withParameter(schema.url, 'options', `-c search_path=${schema.name},pg_catalog`)
    const waiting = Promise.withResolvers<unknown>()
    const opening = opened(t, path, { onWaiting: waiting.resolve })
    t.regex(((await waiting.promise) as Error).message, /its server is a standby, which takes no writes/)
    await schema.query(`DROP FUNCTION ${recovery}`)
    t.is((await (await opening).moment()).version, 0)
  })
}

const schemaOf = async (t: ExecutionContext, url: string): Promise<Schema> => {
  const schema = await newSchema(url)
  t.teardown(schema.drop)
  return schema
}

const opened = async (t: ExecutionContext, ...args: Parameters<typeof openPostgres>) => {
  const store = await openPostgres(...args)
  t.teardown(() => store.close())
  return store
}
