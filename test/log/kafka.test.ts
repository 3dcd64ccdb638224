import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Log } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { brokers } from '../helpers/kafka.ts'
import { testLogContract } from './contract.ts'

const named = brokers
if (named === undefined) test.skip('the Kafka adapter: KAFKA_BROKERS names no broker', () => undefined)
else
  testLogContract('kafka', async () => {
    const prefix = `test-${randomUUID()}-`
    let log: Log | undefined
    return {
      open: async () => (log = await openKafkaLog({ brokers: named, clientId: 'test', prefix })),
      end: async () => log?.close()
    }
  })
