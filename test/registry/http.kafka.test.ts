import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { type Contract, learnSchemas, readProtocolText, registerContracts } from '../../src/contract/index.ts'
import { gateOf } from '../../src/registry/http/gate.ts'
import { type HttpRegistryOptions, openHttpRegistry } from '../../src/registry/http/index.ts'
import { type Registry } from '../../src/registry/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { type Asked, type ConfluentDouble, type Fault, startConfluentDouble } from './confluent-double.ts'
import { recordSchema, type RegistryFactory, testRegistry } from './registry-suite.ts'

const id = { name: 'id', type: 'string' }
const count = { name: 'count', type: 'int', default: 0 }
const [first, second] = [recordSchema('Item', id), recordSchema('Item', id, count)]

const doubleFor = async (t: ExecutionContext, basePath?: string): Promise<ConfluentDouble> => {
  const double = await startConfluentDouble(basePath)
  t.teardown(double.close)
  return double
}

const openedFor = async (t: ExecutionContext, options: HttpRegistryOptions): Promise<Registry> => {
  const registry = await openHttpRegistry(options)
  t.teardown(() => registry.close())
  return registry
}

const shared = await startConfluentDouble('/apis/ccompat/v7')
test.after.always(() => shared.close())

/** Every test has subjects of its own, and every run on a registry that outlives it. */
const run = `parcomolo-test-${Date.now().toString(36)}-${process.pid}`
let testCount = 0
const factory =
  (url: string): RegistryFactory =>
  async () => {
    const prefix = `${run}-${testCount++}.`
    const reopen = () => openHttpRegistry({ url })
    return { registry: await reopen(), reopen, name: (subject) => `${prefix}${subject}` }
  }

const realUrl = process.env['SCHEMA_REGISTRY_URL']

testRegistry('http', factory(shared.url))
if (realUrl === undefined) {
  test.skip('a real registry is not tested: SCHEMA_REGISTRY_URL is not set', (t) => t.pass())
} else {
  testRegistry('http, a real registry', factory(realUrl))

  test('http, a real registry: of two at the same time that contradict each other, one is refused', async (t) => {
    const { registry, reopen, name } = await factory(realUrl)()
    const other = await reopen()
    await registry.register(name('s'), first)
    const text = recordSchema('Item', id, { name: 'count', type: 'string', default: '' })
    const outcomes = await Promise.allSettled([registry.register(name('s'), second), other.register(name('s'), text)])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    t.is(refused.length, 1)
    t.like(refused[0]!.reason, { code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE' })
    t.regex(String(refused[0]!.reason), /field 'count' changed: cannot read/)
    t.is((await registry.versions(name('s'))).length, 2)
    await Promise.all([registry.close(), other.close()])
  })
}

for (const [which, url] of [
  ['http', shared.url],
  ['http, a real registry', realUrl]
] as const) {
  if (url === undefined) continue

  test(`${which}: what was written with an old version is read as the new one, without a promise`, async (t) => {
    const { registry, reopen, name } = await factory(url)()
    const topic = name('stock-events')
    const records = (body: string) => [
      { topic, records: [...readProtocolText(`@namespace("shop") protocol P { ${body} }`).records.values()] }
    ]
    const old = await registerContracts(registry, [], records('record Item { string sku; }'))
    const bytes = old.encode('shop.Item', { sku: 'book' })
    const newer = records('record Item { string sku; int quantity = 1; }')
    const codec = await registerContracts(registry, [], newer)
    t.deepEqual(codec.decode(bytes).value, { sku: 'book', quantity: 1 })
    // A process of the old version that runs on beside it, and meets what the new one wrote.
    const later = codec.encode('shop.Item', { sku: 'book', quantity: 2 })
    t.false(old.knows(later))
    const another = await reopen()
    await learnSchemas(old, another, [later])
    t.deepEqual(old.decode(later).value, { sku: 'book' })
    await Promise.all([registry.close(), another.close()])
  })

  test(`${which}: where one record of several is refused, none is registered`, async (t) => {
    const { registry, name } = await factory(url)()
    const contract = (body: string): Contract => ({
      ...{ participant: 'stock', display: 'Stock', inbox: name('commands'), events: name('events') },
      ...readProtocolText(`@namespace("shop") protocol P { ${body} }`)
    })
    await registerContracts(registry, [
      contract('record Take { string sku; } record Taken { string sku; } Taken take(Take command);')
    ])
    const changed = contract(`record Put { string sku; } record Take { int sku; }
      record Taken { string sku; } record Done { string sku; }
      Done put(Put command); Taken take(Take command);`)
    const error = await t.throwsAsync(registerContracts(registry, [changed]))
    const refused = `subject '${name('commands')}-shop.Take' refuses the schema: field 'sku' changed`
    t.true(error!.message.startsWith(refused))
    t.deepEqual(await registry.versions(`${name('commands')}-shop.Put`), [])
    t.deepEqual(await registry.versions(`${name('events')}-shop.Done`), [])
    await registry.close()
  })

  test(`${which}: instances that start together register the same`, async (t) => {
    const { registry, reopen, name } = await factory(url)()
    const other = await reopen()
    const subjects = Array.from({ length: 10 }, (_, i) => name(`s${i}`))
    const register = (by: Registry) => Promise.all(subjects.map((subject) => by.register(subject, first)))
    const [ids, sameIds] = await Promise.all([register(registry), register(other)])
    t.deepEqual(ids, sameIds)
    t.is(new Set(ids).size, 1)
    await Promise.all([registry.close(), other.close()])
  })

  test(`${which}: a subject is BACKWARD once something is registered under it`, async (t) => {
    const { registry, name } = await factory(url)()
    await registry.register(name('s'), first)
    const answer = await fetch(`${url}/config/${encodeURIComponent(name('s'))}`)
    t.deepEqual(await answer.json(), { compatibilityLevel: 'BACKWARD' })
    await registry.close()
  })
}

test('the level is set before the first schema is written, and asked for once', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  await registry.register('s', first)
  await registry.register('s', second)
  const writes = double.asked.filter((asked) => /^PUT|config|^POST .*versions$/.test(asked))
  const config = ['GET /config/s', 'GET /config/s', 'PUT /config/s']
  t.deepEqual(writes, [...config, 'POST /subjects/s/versions', 'POST /subjects/s/versions'])
})

test('a stricter level stays, a laxer one becomes BACKWARD, also for what was registered by others', async (t) => {
  const double = await doubleFor(t)
  double.levels.set('strict', 'FULL_TRANSITIVE').set('lax', 'NONE')
  for (const subject of ['strict', 'lax']) {
    const body = JSON.stringify({ schema: JSON.stringify(first) })
    await fetch(`${double.url}/subjects/${subject}/versions`, { method: 'POST', body })
  }
  const registry = await openedFor(t, { url: double.url })
  for (const subject of ['strict', 'lax']) await registry.register(subject, first)
  t.deepEqual(Object.fromEntries(double.levels), { strict: 'FULL_TRANSITIVE', lax: 'BACKWARD' })
  t.is((await registry.versions('lax')).length, 1)
})

test('a stricter level that holds for all stays, and a laxer one is not taken over', async (t) => {
  for (const [globalLevel, own] of [
    ['FULL_TRANSITIVE', undefined],
    ['BACKWARD_TRANSITIVE', undefined],
    ['BACKWARD', 'BACKWARD'],
    ['FORWARD', 'BACKWARD']
  ] as const) {
    const double = await doubleFor(t)
    double.globalLevel = globalLevel
    const registry = await openedFor(t, { url: double.url })
    await registry.register('s', first)
    t.is(double.levels.get('s'), own, globalLevel)
  }
})

test('a level that somebody else sets at the same time is as good', async (t) => {
  const double = await doubleFor(t)
  double.fault = ({ method }) => {
    if (method !== 'PUT') return undefined
    double.levels.set('s', 'BACKWARD')
    return { status: 409, body: { error_code: 409, message: "A rule named 'COMPATIBILITY' already exists." } }
  }
  const registry = await openedFor(t, { url: double.url })
  t.true((await registry.register('s', first)) > 0)
})

test('a level that cannot be set refuses the registration before anything is written', async (t) => {
  const double = await doubleFor(t)
  double.fault = ({ method }) => (method === 'PUT' ? { status: 403, body: { message: 'Forbidden' } } : undefined)
  const registry = await openedFor(t, { url: double.url })
  await t.throwsAsync(registry.register('s', first), { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', message: /Forbidden/ })
  t.deepEqual(await registry.versions('s'), [])
})

test('what was answered once is not asked again', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const given = await registry.register('s', first)
  await registry.schema(given)
  const askedBefore = double.asked.length
  t.is(await registry.register('s', first), given)
  t.deepEqual(await registry.schema(given), first)
  t.is(double.asked.length, askedBefore)
})

test('those who ask for one id at the same time share a request', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const given = await registry.register('s', first)
  await Promise.all(Array.from({ length: 20 }, () => registry.schema(given)))
  t.is(double.asked.filter((asked) => asked.startsWith('GET /schemas')).length, 1)
})

test('so many run at once as may, and the others get their turn in the order in which they came', async (t) => {
  const gate = gateOf(2)
  const begun: number[] = []
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const results = ends.map(({ promise }, i) =>
    gate(() => {
      begun.push(i)
      return promise
    })
  )
  const turn = () => new Promise(setImmediate)
  await turn()
  t.deepEqual(begun, [0, 1])
  ends[1]!.reject(new Error('failed'))
  await t.throwsAsync(results[1]!, { message: 'failed' })
  await turn()
  t.deepEqual(begun, [0, 1, 2])
  for (const [i, { resolve }] of ends.entries()) resolve(i)
  t.deepEqual(await Promise.all(results.filter((_, i) => i !== 1)), [0, 2, 3, 4])
  t.deepEqual(begun, [0, 1, 2, 3, 4])
  t.is(await gate(async () => 7), 7)
})

test('an id that is unknown today may be known tomorrow', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const other = await openedFor(t, { url: double.url })
  const given = await other.register('s', first)
  await t.throwsAsync(registry.schema(given + 1), { code: 'PARCOMOLO_REGISTRY_UNKNOWN_ID' })
  t.is(await other.register('t', second), given + 1)
  t.deepEqual(await registry.schema(given + 1), second)
})

test('what a start asks of a subject, it asks once', async (t) => {
  const double = await doubleFor(t)
  await (await openedFor(t, { url: double.url })).register('s', first)
  const registry = await openedFor(t, { url: double.url })
  const before = double.asked.length
  await registry.check('s', first)
  const id = await registry.register('s', first)
  t.deepEqual(await registry.versions('s'), [{ id, schema: first }])
  const paths = double.asked.slice(before).filter((asked) => /\/s\b/.test(asked))
  t.deepEqual(paths, ['GET /subjects/s/versions/latest', 'GET /config/s'])
})

test('a deleted version leaves a gap, which is seen ten seconds later at most', async (t) => {
  const double = await doubleFor(t)
  const clock = new VirtualClock(0)
  const registry = await openedFor(t, { url: double.url, clock })
  const ids = [await registry.register('s', first), await registry.register('s', second)]
  double.forget('s', 1)
  clock.advance(10_000)
  t.deepEqual(await registry.versions('s'), [{ id: ids[1]!, schema: second }])
  double.forget('s', 2)
  clock.advance(10_000)
  t.deepEqual(await registry.versions('s'), [])
})

const isPost = (path: RegExp) => (asked: Asked) => asked.method === 'POST' && path.test(asked.path)
const ofCompatibility = isPost(/^\/compatibility/)
const ofVersion = isPost(/^\/subjects\/s\/versions$/)

const objection = test.macro<[object, RegExp]>(async (t, body, reason) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  await registry.register('s', first)
  double.fault = (asked) => (ofCompatibility(asked) ? { status: 200, body } : undefined)
  for (const attempt of ['check', 'register'] as const) {
    const error = await t.throwsAsync(registry[attempt]('s', second))
    t.like(error, { code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE', details: { subject: 's' } })
    t.regex(error!.message, reason)
  }
  t.is((await registry.versions('s')).length, 1)
})

test(
  'what the registry finds incompatible is refused in its words',
  objection,
  { is_compatible: false, messages: ['new field', 'at /count'] },
  /refuses the schema: new field, at \/count; expected/
)
test(
  'what the registry finds incompatible without a word is refused as well',
  objection,
  { is_compatible: false },
  /refuses the schema: the registry finds it incompatible; expected/
)

const writeRefused = test.macro<[number, string, RegExp]>(async (t, status, code, message) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const body = { error_code: status, message: 'it says no' }
  double.fault = (asked) => (ofVersion(asked) ? { status, body } : undefined)
  const error = await t.throwsAsync(registry.register('s', first))
  t.like(error, { code, details: { subject: 's' } })
  t.regex(error!.message, message)
})

test(
  'a write that the registry refuses tells its words',
  writeRefused,
  409,
  'PARCOMOLO_REGISTRY_INCOMPATIBLE',
  /^subject 's' refuses the schema: it says no; expected/
)
test(
  'a schema that the registry cannot read is told as invalid',
  writeRefused,
  422,
  'PARCOMOLO_REGISTRY_INVALID_SCHEMA',
  /^subject 's' refuses the schema: it says no; expected Avro/
)

const overtaken = test.macro<[object, (id: Promise<number>, t: ExecutionContext) => Promise<unknown>]>(
  async (t, theirs, then) => {
    const double = await doubleFor(t)
    const registry = await openedFor(t, { url: double.url })
    let isFirst = true
    // Between the check and the write another process registers its own.
    double.fault = async (asked) => {
      if (!ofVersion(asked) || !isFirst) return undefined
      isFirst = false
      const body = JSON.stringify({ schema: JSON.stringify(theirs) })
      await fetch(`${double.url}/subjects/s/versions`, { method: 'POST', body })
      return { status: 409, body: { error_code: 409, message: 'Conflict' } }
    }
    await then(registry.register('s', first), t)
  }
)

test('who is overtaken by the same schema gets its id', overtaken, first, async (given, t) => t.true((await given) > 0))
test(
  'who is overtaken by a schema that theirs does not fit on is told the reason',
  overtaken,
  recordSchema('Item', { name: 'id', type: 'int' }),
  (given, t) => t.throwsAsync(given, { message: /refuses the schema: field 'id' changed: cannot read "int" as/ })
)

test('a schema that is no Avro is told as such', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const answers: Record<string, object> = {
    '/schemas/ids/7': { schemaType: 'PROTOBUF', schema: 'syntax = "proto3";' },
    '/schemas/ids/8': { schema: '"string"' },
    '/schemas/ids/9': { schema: 'record' },
    '/subjects/s/versions/latest': { id: 7, version: 1, schemaType: 'JSON', schema: '{}' }
  }
  double.fault = ({ path }) => (answers[path] === undefined ? undefined : { status: 200, body: answers[path] })
  const invalid = (message: string) => ({ code: 'PARCOMOLO_REGISTRY_INVALID_SCHEMA', message })
  const expected = 'expected an Avro record, registered by a service of this system'
  await t.throwsAsync(registry.schema(7), invalid(`the schema of id '7' is no Avro but 'PROTOBUF'; ${expected}`))
  await t.throwsAsync(registry.schema(8), invalid(`the schema of id '8' is no record; ${expected}`))
  await t.throwsAsync(registry.schema(9), invalid(`the schema of id '9' is no record; ${expected}`))
  await t.throwsAsync(registry.versions('s'), invalid(`the schema of subject 's' is no Avro but 'JSON'; ${expected}`))
})

const isSilent = (fault: Fault): boolean => fault === 'silence' || fault === 'half'

/** Every call has to say that the registry is unavailable and why, and works when it is back. */
const down = test.macro<[Fault, RegExp]>(async (t, fault, reason) => {
  const double = await doubleFor(t)
  // Only what waits for it need be short: a busy machine is slow to answer as well.
  const requestTimeoutMs = isSilent(fault) ? 1000 : undefined
  const registry = await openedFor(t, { url: double.url, requestTimeoutMs })
  const other = await openedFor(t, { url: double.url })
  const given = await other.register('s', first)
  double.fault = () => fault
  const calls = [
    () => registry.schema(given),
    () => registry.register('t', first),
    () => registry.check('t', first),
    () => registry.versions('s')
  ]
  await Promise.all(
    calls.map(async (call) => {
      const error = await t.throwsAsync(call())
      t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true, details: { url: double.url } })
      t.true(error!.message.startsWith(`schema registry '${double.url}' is unavailable: `))
      t.regex(error!.message, reason)
    })
  )
  double.fault = () => undefined
  t.deepEqual(await registry.schema(given), first)
  t.is(await registry.register('t', first), given)
})

test('a registry that is silent', down, 'silence', /: it did not answer within 1000 ms; expected/)
test('a registry that dies in the middle of an answer', down, 'half', /: it did not answer within 1000 ms; expected/)
test('a registry that closes every connection', down, 'reset', /: (socket hang up|read ECONNRESET); expected/)
test('a registry that has an error', down, { status: 503, body: { message: 'no leader' } }, /: no leader; expected/)
test(
  'a proxy that knows nothing of a registry: no schema is unknown for that',
  down,
  { status: 404, body: '<h1>not\nhere</h1>', type: 'text/html' },
  /: it answered with status 404 '<h1>not here<\/h1>'; expected the answer of a Confluent schema registry, at its base/
)
test(
  'something else with JSON',
  down,
  { status: 200, body: { hello: 'x'.repeat(200) } },
  /: it answered '\{"hello":"x{90}…'; expected/
)

test(
  'credentials that are refused later',
  down,
  { status: 401, body: { error_code: 401, message: 'Unauthorized' } },
  /: Unauthorized; expected user and password/
)
test(
  'rights that are taken away from all',
  down,
  { status: 403, body: { error_code: 40301, message: 'denied' } },
  /: denied; expected user and password/
)

test('no id is unknown because a gateway says 404 in JSON', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  double.fault = () => ({ status: 404, body: { message: 'no Route matched with those values' } })
  const error = await t.throwsAsync(registry.schema(7))
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true })
  t.regex(error!.message, /: no Route matched with those values; expected a registry that does this/)
})

test('a registry that is gone', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  await double.close()
  const error = await t.throwsAsync(registry.schema(7))
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true })
  t.regex(error!.message, /: connect ECONNREFUSED 127\.0\.0\.1:\d+; expected/)
})

test('a fault that passes at once is not noticed, be it a question or a write', async (t) => {
  const double = await doubleFor(t)
  const registry = await openedFor(t, { url: double.url })
  const failed = new Set<string>()
  double.fault = ({ method, path }) => {
    const request = `${method} ${path}`
    if (failed.has(request)) return undefined
    failed.add(request)
    return method === 'GET' ? 'reset' : { status: 500, body: { message: 'not the leader' } }
  }
  const given = await registry.register('s', first)
  t.deepEqual(await registry.schema(given), first)
})

test('a close ends what is under way', async (t) => {
  const double = await doubleFor(t)
  const registry = await openHttpRegistry({ url: double.url })
  double.fault = () => 'silence'
  const [call] = [registry.schema(7), registry.close()]
  await t.throwsAsync(call!, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', message: /: the connection was closed; / })
  await t.throwsAsync(registry.schema(8), { message: /: the connection was closed; / })
})

test('user and password may be given in the URL or beside it', async (t) => {
  const double = await doubleFor(t, '/base')
  double.password = 'ann@x:p:ß%'
  const withAuth = new URL(double.url)
  ;[withAuth.username, withAuth.password] = ['ann@x', encodeURIComponent('p:ß%')]
  await openedFor(t, { url: `${withAuth.href}/` })
  const registry = await openedFor(t, { url: double.url, auth: { username: 'ann@x', password: 'p:ß%' } })
  await registry.register('s', first)
  withAuth.password = 'other'
  await openedFor(t, { url: withAuth.href, auth: { username: 'ann@x', password: 'p:ß%' } })
  double.password = 'ann:%zz'
  await openedFor(t, { url: double.url.replace('//', '//ann:%zz@') })
  t.true(double.asked.includes('POST /subjects/s/versions'))
})

test('credentials that are refused are an error at once, and no error tells them', async (t) => {
  const double = await doubleFor(t)
  double.password = 'ann:right'
  const url = double.url.replace('//', '//ann:geheim@')
  const onWaiting = () => t.fail()
  const error = await t.throwsAsync(openHttpRegistry({ url, onWaiting }))
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: false })
  t.is(
    error!.message,
    `schema registry '${double.url}' is unavailable: Unauthorized; ` +
      'expected user and password that it takes, with the right to do this'
  )
  t.false(inspect(error, { depth: 10, showHidden: true }).includes('geheim'))
})

test('what is no URL of http is an error at once, and is not shown', async (t) => {
  for (const url of ['', 'registry:8081', 'http//ann:geheim@registry', 'kafka://ann:geheim@registry']) {
    const error = await t.throwsAsync(openHttpRegistry({ url, onWaiting: () => t.fail() }))
    t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: false })
    t.false(inspect(error, { depth: 10 }).includes('geheim'))
  }
})

/** A clock on which every pause is over at once. */
const leapingClock = (): { clock: VirtualClock; passedMs: () => number } => {
  const clock = new VirtualClock(1_000_000)
  const at = clock.at.bind(clock)
  clock.at = (atMs, call) => {
    const cancel = at(atMs, call)
    clock.advance(atMs - clock.now())
    return cancel
  }
  return { clock, passedMs: () => clock.now() - 1_000_000 }
}

test('who opens it waits until it answers, and hears why: at the first failure, then every 10 s', async (t) => {
  const double = await doubleFor(t)
  const { clock, passedMs } = leapingClock()
  double.fault = () => (passedMs() < 25_000 ? { status: 404, body: 'warming up', type: 'text/plain' } : undefined)
  const heard: [number, string][] = []
  const registry = await openedFor(t, {
    ...{ url: double.url, clock },
    onWaiting: (error) => heard.push([passedMs(), error.message])
  })
  const reason = "it answered with status 404 'warming up'"
  const expected = 'expected the answer of a Confluent schema registry, at its base path'
  const message = `schema registry '${double.url}' is unavailable: ${reason}; ${expected}`
  t.deepEqual(heard, [
    [0, message],
    [10_000, message],
    [20_000, message]
  ])
  t.true((await registry.register('s', first)) > 0)
})

test('the wait ends with the reason of its signal, in a pause, in a request and before it', async (t) => {
  const reason = new Error('stopped')
  const stop = new AbortController()
  const clock = new VirtualClock(0)
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const inRequest = openHttpRegistry({ url, clock, signal: stop.signal })
  server.once('request', () => stop.abort(reason))
  t.is(await t.throwsAsync(inRequest), reason)
  t.is(await t.throwsAsync(openHttpRegistry({ url, signal: stop.signal })), reason)

  const double = await doubleFor(t)
  double.fault = () => ({ status: 404, body: '' })
  const later = new AbortController()
  const onWaiting = () => setImmediate(() => later.abort(reason))
  t.is(await t.throwsAsync(openHttpRegistry({ url: double.url, clock, onWaiting, signal: later.signal })), reason)
})

test('without a signal and an ear it waits all the same', async (t) => {
  const double = await doubleFor(t)
  const { clock, passedMs } = leapingClock()
  double.fault = () => (passedMs() < 3000 ? { status: 404, body: '' } : undefined)
  await openedFor(t, { url: double.url, clock })
  t.is(passedMs(), 3000)
})

test('a failure while it waits that is none of the registry is not waited for', async (t) => {
  const double = await doubleFor(t)
  double.fault = () => ({ status: 404, body: '' })
  const broken = new Error('broken ear')
  const onWaiting = () => {
    throw broken
  }
  t.is(await t.throwsAsync(openHttpRegistry({ url: double.url, onWaiting })), broken)
  t.false(isParcomoloError(broken))
})
