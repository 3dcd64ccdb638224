import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readConfig } from '../../src/main/config.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import { billing, Billing, subscribe, subscribeTwo } from '../helpers/foreign-billing.ts'
import { KafkaShop } from './kafka-shop.ts'

const brokers = process.env['KAFKA_BROKERS']
const registryUrl = process.env['SCHEMA_REGISTRY_URL']
const partitions = 4

if (brokers === undefined || registryUrl === undefined)
  test.skip('the engine alone on Kafka: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name none', () => undefined)
else
  test('the engine alone on Kafka, each role a process, runs sagas of a participant that is not its own', async (t) => {
    t.timeout(120_000)
    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-bare-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const sagas = join(folder, 'sagas')
    await mkdir(join(sagas, 'participants'), { recursive: true })
    await writeFile(join(sagas, 'participants/billing.yaml'), billing)
    await writeFile(join(sagas, 'subscribe.yaml'), subscribe)
    const prefix = `test-${randomUUID()}-`
    const alone = new KafkaShop({ brokers, registryUrl, prefix }, folder)
    t.teardown(() => alone.end('SIGKILL'))
    for (const role of ['orchestrator', 'operator', 'view'])
      alone.add(role, role, { PARCOMOLO_APP: 'none', PARCOMOLO_SAGAS: sagas })
    await alone.startAll()

    const config = readConfig({ KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registryUrl, KAFKA_PREFIX: prefix })
    const log = await openLog(config)
    t.teardown(() => log.close())
    const participant = await Billing.open(log, await openRegistry(config), partitions)
    t.deepEqual(await subscribeTwo(participant, alone.url), { ada: 'completed', bob: 'compensated' })
    t.is((await fetch(`${alone.url}/orders`)).status, 404)
    t.is(alone.errors, '')
  })
