import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { keysOf, readAll, records, takeUntil } from './records.ts'

/** A listener with SASL PLAIN over TLS, whose certificate an authority of its own has signed. */
const {
  KAFKA_SECURE_BROKERS: brokers,
  KAFKA_SECURE_CA_FILE: caFile,
  KAFKA_SECURE_USERNAME: username,
  KAFKA_SECURE_PASSWORD: password
} = process.env

if (brokers === undefined) test.skip('Kafka with SASL and TLS: KAFKA_SECURE_BROKERS names no broker', () => undefined)
else testSecure(brokers.split(','))

function testSecure(named: readonly string[]): void {
  const journal = { topic: 'journal', partition: 0 }
  const open = (secret: string) =>
    openKafkaLog({
      ...{ brokers: named, clientId: 'test', prefix: `test-${randomUUID()}-` },
      sasl: { mechanism: 'plain', username: username!, password: secret },
      tls: { ca: readFileSync(caFile!, 'utf8') }
    })

  test('a log over SASL and TLS is claimed, written, followed, read and shared', async (t) => {
    const log = await open(password!)
    t.teardown(() => log.close())
    await log.ensureTopics([{ topic: 'journal', partitions: 1, cleanup: 'delete' }])
    const reader = log.reader([{ ...journal, offset: 0 }], 'visible')
    t.is(await (await log.claim(journal)).append(records('a', 2)), 0)
    await log.send([{ ...records('b', 1)[0]!, ...journal }])
    t.deepEqual(keysOf(await takeUntil(reader, 3)), ['a0', 'a1', 'b0'])
    reader.close()
    t.deepEqual(keysOf(await readAll(log, journal)), ['a0', 'a1', 'b0'])
    const mine = await new Promise((resolve, reject) => void log.join('tasks', [journal], resolve).catch(reject))
    t.deepEqual(mine, [journal])
  })

  test('a wrong password is refused at once, and not shown', async (t) => {
    const error = await t.throwsAsync(open('not the password'), { code: 'PARCOMOLO_LOG_REFUSED' })
    t.regex(error!.message, /the brokers refuse the log-in \(.*[Aa]uthentication failed.*\); expected/)
    t.false(error!.message.includes('not the password'))
  })
}
