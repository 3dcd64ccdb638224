import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { outcome, seeEveryOutcome } from '../e2e/outcomes.ts'
import { get, order, type OrderView, requestBody } from '../e2e/shop-client.ts'
import { run } from './commands.ts'
import { chart, Release, until } from './release.ts'

/** A name of our image in the cluster; that of the database is in own/infrastructure.yaml. */
const image = process.env['CLUSTER_IMAGE']

const minutes = 60_000
const folder = 'test/cluster/own'
const release = new Release('parcomolo-own')

const secret = (name: string, ...files: string[]): Promise<string> =>
  release.kubectl('create', 'secret', 'generic', name, ...files)

/** The only column of a query's rows, asked of the database itself. */
const query = async (sql: string): Promise<string[]> => {
  const psql = ['psql', '-h', '/data', '-U', 'shop', '-d', 'postgres', '-Atc', sql]
  const rows = await release.kubectl('exec', 'database-0', '--', ...psql)
  return rows.trim().split('\n')
}

if (image === undefined) test.skip('own infrastructure: CLUSTER_IMAGE names no image', () => undefined)
else {
  test.before(async () => {
    await release.makeNamespace()
    await makeSecrets()
    await release.kubectl('apply', '-f', `${folder}/infrastructure.yaml`)
  })
  test.after.always(() => release.close())
  testInstallation(image)
}

function testInstallation(installed: string): void {
  test.serial('on a Kafka with SASL over TLS and a PostgreSQL with TLS orders end in every way', async (t) => {
    t.timeout(8 * minutes)
    await release.deploy('install', installed, chart, '--values', `${folder}/values.yaml`)
    await release.forwardRest()
    await seeEveryOutcome(t, release)
    t.regex(await release.helm('test'), /Phase: +Succeeded/)
  })

  test.serial('both replicas of the view share the database, over TLS', async (t) => {
    const connected = 'select count(distinct client_addr) from pg_stat_activity where client_addr is not null'
    t.deepEqual(await query(connected), ['2'])
    const encrypted =
      'select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where client_addr is not null'
    t.deepEqual(await query(encrypted), ['t'])
  })

  test.serial('what was ordered before is there when all pods of the view were killed at once', async (t) => {
    t.timeout(3 * minutes)
    const placed = await order(release, requestBody('tok_visa'))
    await release.kill('view')
    await release.kubectl('rollout', 'status', 'deployment/parcomolo-view', '--timeout=120s')
    await release.untilRead()
    const found = await get<OrderView>(release, `/orders/${placed.orderId}`)
    t.is(outcome(found), outcome(placed))
  })

  test.serial('a password that the brokers refuse is named by the role that was given it', async (t) => {
    t.timeout(3 * minutes)
    const wrong = JSON.stringify({ stringData: { password: 'wrong' } })
    await release.kubectl('patch', 'secret', 'kafka-login', '-p', wrong)
    await release.kubectl('delete', 'pod', '-l', 'app.kubernetes.io/component=payment', '--wait=false')
    const log = await until(async () => {
      const lines = await release.kubectl('logs', '-l', 'app.kubernetes.io/component=payment', '--tail=20')
      return /SASL|authenticat/i.test(lines) ? lines : undefined
    }, 200)
    t.log(log.trim().split('\n').at(-1))
    await release.kubectl('patch', 'secret', 'kafka-login', '-p', wrong.replace('wrong', 'secret'))
    await release.kubectl('delete', 'pod', '-l', 'app.kubernetes.io/component=payment', '--wait=false')
    t.is(outcome(await order(release, requestBody('tok_visa'))), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
  })
}

/** A certificate for broker and database by an authority of their own, and what the chart's values name. */
async function makeSecrets(): Promise<void> {
  const at = await mkdtemp(join(tmpdir(), 'parcomolo-own-'))
  const path = (name: string): string => join(at, name)
  const openssl = (...args: string[]): Promise<string> => run('openssl', args)
  const subject = (name: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`]
  try {
    await openssl(
      'req',
      '-x509',
      '-days',
      '2',
      ...subject('company'),
      '-keyout',
      path('ca.key'),
      '-out',
      path('ca.crt')
    )
    await openssl('req', ...subject('shop'), '-keyout', path('tls.key'), '-out', path('tls.csr'))
    await writeFile(path('names'), 'subjectAltName=DNS:broker,DNS:database')
    const signer = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
    const signed = ['-in', path('tls.csr'), '-extfile', path('names'), '-out', path('tls.crt')]
    await openssl('x509', '-req', ...signed, ...signer)
    const parts = await Promise.all(['tls.key', 'tls.crt', 'ca.crt'].map((name) => readFile(path(name), 'utf8')))
    await writeFile(path('keystore.pem'), parts.join(''))
    const file = (name: string): string => `--from-file=${path(name)}`
    await secret('certificate', file('tls.crt'), file('tls.key'), file('keystore.pem'))
    await secret('company-ca', file('ca.crt'))
    await secret('kafka-login', '--from-literal=username=shop', '--from-literal=password=secret')
    const url = 'postgres://shop:secret@database:5432/postgres?sslmode=verify-full'
    await secret('view-database', `--from-literal=url=${url}`)
  } finally {
    await rm(at, { recursive: true, force: true })
  }
}
