import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readConfig } from '../../src/config/index.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import { startConfluentDouble } from '../registry/confluent-double.ts'

const schema = { type: 'record', name: 'OrderPlaced', namespace: 'parcomolo.order', fields: [] }

test('without Kafka log and registry are in the data folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-open-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const config = readConfig({ PARCOMOLO_DATA: folder })
  const [log, registry] = [await openLog(config), await openRegistry(config)]
  t.deepEqual(log.health(), { ok: true })
  t.is(await registry.register('order-events-parcomolo.order.OrderPlaced', schema), 1)
  await Promise.all([log.close(), registry.close()])
})

test('a catalogue of schemas that is gone is not made again under a log that needs it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-open-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const config = readConfig({ PARCOMOLO_DATA: folder })
  const log = await openLog(config)
  await log.ensureTopics([{ topic: 'a', partitions: 1, cleanup: 'delete' }])
  await (await openRegistry(config)).close()
  const writer = await log.claim({ topic: 'a', partition: 0 })
  await writer.append([{ key: '', value: new Uint8Array(1), timestamp: 0, headers: {} }])
  await log.durable(writer, 1)
  await log.close()
  const error = await t.throwsAsync(openRegistry(config), { code: 'PARCOMOLO_REGISTRY_BROKEN' })
  t.regex(error!.message, /is gone, and values in .* need it; take a backup back/)
})

test('with Kafka the registry is the one that is named, and subjects have the prefix of topics', async (t) => {
  const double = await startConfluentDouble()
  t.teardown(() => double.close())
  double.password = 'bob:secret'
  const registry = await openRegistry(
    readConfig({
      KAFKA_BROKERS: 'localhost:9092',
      KAFKA_PREFIX: 'shop.',
      SCHEMA_REGISTRY_URL: double.url,
      SCHEMA_REGISTRY_USERNAME: 'bob',
      SCHEMA_REGISTRY_PASSWORD: 'secret'
    })
  )
  const subject = 'order-events-parcomolo.order.OrderPlaced'
  await registry.check(subject, schema)
  const id = await registry.register(subject, schema)
  t.deepEqual(await registry.versions(subject), [{ id, schema }])
  t.deepEqual(await registry.schema(id), schema)
  t.true(double.asked.includes(`POST /subjects/shop.${subject}/versions`))
  t.false(double.asked.some((asked) => asked.includes(`/${subject}`)))
  await registry.close()
})
