import { execFile, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { Kafka, logLevel } from 'kafkajs'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { brokers } from '../helpers/kafka.ts'
import { readAll } from '../log/records.ts'

const run = promisify(execFile)
const hasKcat = spawnSync('kcat', ['-V']).error === undefined
const reason = brokers === undefined ? 'KAFKA_BROKERS names no broker' : hasKcat ? undefined : 'kcat is not on PATH'

const topic = 'probe-events'
const spec = { topic, partitions: 1, cleanup: 'delete' } as const

/** A topic that keeps what producers send, as Kafka's own standard is. */
const keepingTopic = async (t: ExecutionContext, prefix: string): Promise<string> => {
  const admin = new Kafka({ brokers: brokers!, clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  const configEntries = [
    { name: 'compression.type', value: 'producer' },
    { name: 'max.message.bytes', value: '16777216' }
  ]
  await admin.createTopics({ topics: [{ topic: prefix + topic, numPartitions: 1, configEntries }] })
  return prefix + topic
}

if (reason !== undefined) test.skip(`what librdkafka compresses: ${reason}`, () => undefined)
else {
  test('what librdkafka compresses is read, by each of its codecs', async (t) => {
    const prefix = `test-${randomUUID()}-`
    const name = await keepingTopic(t, prefix)
    const folder = await mkdtemp(join(tmpdir(), 'compression-'))
    t.teardown(() => rm(folder, { recursive: true }))
    // What repeats and what does not, longer than a block of any codec.
    const values = ['short', 'ab'.repeat(50_000), Array.from({ length: 9_000 }, () => randomUUID()).join('')]
    const codecs = ['gzip', 'snappy', 'lz4', 'zstd']
    for (const [i, value] of values.entries()) {
      await writeFile(join(folder, String(i)), value)
      for (const codec of codecs)
        await run('kcat', [
          '-P',
          '-b',
          brokers!.join(','),
          '-t',
          name,
          '-k',
          codec,
          '-z',
          codec,
          join(folder, String(i))
        ])
    }
    const log = await openKafkaLog({ brokers: brokers!, clientId: 'test', prefix })
    t.teardown(() => log.close())
    await log.ensureTopics([spec])
    const records = await readAll(log, { topic, partition: 0 })
    const expected = values.flatMap((value) => codecs.map((codec) => [codec, value]))
    t.deepEqual(
      records.map(({ key, value }) => [key, Buffer.from(value!).toString()]),
      expected
    )
  })
}
