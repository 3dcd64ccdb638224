import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readConfig } from '../../src/config/index.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import { billing, Billing, subscribe, subscribeTwo } from '../helpers/foreign-billing.ts'
import { Release } from './release.ts'

const image = process.env['CLUSTER_IMAGE']
const minutes = 60_000

if (image === undefined) test.skip('the engine alone in a cluster: CLUSTER_IMAGE names no image', () => undefined)
else
  test("without the shop the chart runs the sagas of a participant of one's own", async (t) => {
    t.timeout(10 * minutes)
    const release = new Release('parcomolo-bare')
    t.teardown(() => release.close())
    await release.makeNamespace()
    await release.deploy('install', image, undefined, '--set', 'shop.enabled=false')
    t.regex(await release.helm('test'), /Phase: +Succeeded/)
    t.notRegex(
      await release.kubectl('get', 'pods,sagas,participants', '-o', 'name'),
      /order|payment|shipping|inventory/
    )

    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-bare-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'resources.yaml'), `${billing}---\n${subscribe}`)
    await release.kubectl('apply', '-f', folder)
    const ready = ['--for=condition=Ready', '--timeout=60s']
    await release.kubectl('wait', ...ready, 'participant/billing', 'saga/subscribe')

    await release.forwardRest()
    await release.forwardKafka()
    const { brokers, registryUrl } = release.kafka
    const config = readConfig({ KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registryUrl })
    const log = await openLog(config)
    t.teardown(() => log.close())
    const participant = await Billing.open(log, await openRegistry(config), 4)
    t.deepEqual(await subscribeTwo(participant, release.url), { ada: 'completed', bob: 'compensated' })
    t.regex(await release.kubectl('get', 'sagas'), /^subscribe +True/m)
    // They are not the release's: without the operator, nobody would let go of them.
    await release.kubectl('delete', '-f', folder, '--timeout=60s')
  })
