import test from 'ava'
import { Cluster } from '../../src/log/kafka/cluster.ts'
import type { Connector, Link } from '../../src/log/kafka/kafkajs.ts'

/** One broker to which all requests fail as on a broken connection, when `fail` is called. */
const brokenCluster = () => {
  const links: { disconnectCount: number }[] = []
  const failing = Promise.withResolvers<never>()
  const connector = {
    link: () => {
      const counts = { disconnectCount: 0 }
      links.push(counts)
      return {
        connect: async () => undefined,
        disconnect: async () => void counts.disconnectCount++,
        connectionPool: {
          send: async () => ({ brokers: [{ nodeId: 1, host: 'broker', port: 1 }], topicMetadata: [] }),
          getConnection: async () => undefined
        }
      } as unknown as Link
    }
  } as unknown as Connector
  return { cluster: new Cluster(connector, ['broker:1']), links, failing }
}

test('a connection on which many requests fail is given up once', async (t) => {
  const { cluster, links, failing } = brokenCluster()
  await cluster.refresh()
  const before = links.length
  const requests = Array.from({ length: 12 }, () => cluster.at('write', 1, () => failing.promise))
  failing.reject(new Error('the connection is closed'))
  for (const { status } of await Promise.allSettled(requests)) t.is(status, 'rejected')
  t.deepEqual(links.slice(before), [{ disconnectCount: 1 }])
})
