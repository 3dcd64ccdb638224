import { Kafka, logLevel } from 'kafkajs'

/** How many records have been written to these topics so far. */
export const writtenTo = async (brokers: string, topics: readonly string[]): Promise<number> => {
  const admin = new Kafka({ brokers: brokers.split(','), clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const found = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)))
    return found.flat().reduce((sum, { high }) => sum + Number(high), 0)
  } finally {
    await admin.disconnect()
  }
}
