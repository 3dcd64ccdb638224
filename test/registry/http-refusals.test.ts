import test, { type ExecutionContext } from 'ava'
import { openHttpRegistry } from '../../src/registry/http/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import { type ConfluentDouble, startConfluentDouble } from './confluent-double.ts'
import { recordSchema } from './registry-suite.ts'

const first = recordSchema('Item', { name: 'id', type: 'string' })

const stage = async (t: ExecutionContext): Promise<{ double: ConfluentDouble; registry: Registry }> => {
  const double = await startConfluentDouble()
  t.teardown(double.close)
  const registry = await openHttpRegistry({ url: double.url })
  t.teardown(() => registry.close())
  return { double, registry }
}

test('an id that this user alone may not read is unknown, and may be known tomorrow', async (t) => {
  const { double, registry } = await stage(t)
  const other = await openHttpRegistry({ url: double.url })
  t.teardown(() => other.close())
  const given = await other.register('s', first)
  const body = { error_code: 40301, message: 'User is denied operation Read on Subject' }
  double.fault = ({ path }) => (path === `/schemas/ids/${given}` ? { status: 403, body } : undefined)
  await t.throwsAsync(registry.schema(given), {
    code: 'PARCOMOLO_REGISTRY_UNKNOWN_ID',
    message: `unknown schema id '${given}', for this user (User is denied operation Read on Subject); expected one that this registry lets it read`
  })
  double.fault = () => undefined
  t.deepEqual(await registry.schema(given), first)
})

test('a registry that takes nothing new for now is waited for, and told as what it is', async (t) => {
  for (const fault of [
    { status: 422, code: 42205, message: "Subject 's' is in read-only mode" },
    { status: 405, code: 405, message: 'READONLY' }
  ]) {
    const { double, registry } = await stage(t)
    const body = { error_code: fault.code, message: fault.message }
    double.fault = (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/versions') ? { status: fault.status, body } : undefined
    const error = await t.throwsAsync(registry.register('s', first))
    t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true })
    t.regex(error!.message, /READONLY|READWRITE/)
    t.notRegex(error!.message, /base path/)
  }
})

test('a stricter level that holds for all stays where the registry has none for a subject that is new', async (t) => {
  const { double, registry } = await stage(t)
  double.globalLevel = 'FULL_TRANSITIVE'
  const body = { error_code: 40401, message: "Subject 's' not found." }
  double.fault = ({ method, path }) => (method === 'GET' && path === '/config/s' ? { status: 404, body } : undefined)
  await registry.register('s', first)
  t.is(double.levels.get('s'), undefined)
})

test('a registry that knows no level for all has that of a subject set', async (t) => {
  const { double, registry } = await stage(t)
  const gone = { status: 404, body: '<h1>gone</h1>', type: 'text/html' }
  const body = { error_code: 40401, message: "Subject 's' not found." }
  double.fault = ({ method, path }) => {
    if (method !== 'GET') return undefined
    return path === '/config/' ? gone : path === '/config/s' ? { status: 404, body } : undefined
  }
  await registry.register('s', first)
  t.is(double.levels.get('s'), 'BACKWARD')
})
