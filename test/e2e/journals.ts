import type { Log, TopicSpec } from '../../src/log/index.ts'
import type { AuditRecord } from '../helpers/auditor.ts'
import { journalsOf } from '../../src/main/system.ts'
import { inboxes, theShop } from '../helpers/shop-parts.ts'

const journals = journalsOf(theShop)
/** What all orders share has one partition. */
const single = new Set(['stock-events', 'inventory-commands'])

/** Journals and inboxes of the shop, as it makes them with so many partitions. */
export const topicsOf = (partitions: number): TopicSpec[] =>
  [...journals, ...inboxes].map((topic) => ({
    topic,
    partitions: single.has(topic) ? 1 : partitions,
    cleanup: 'delete',
    ...(journals.includes(topic) ? { retention: 'forever' } : {})
  }))

/** All that stands on them. */
export const readTopics = async (log: Log): Promise<AuditRecord[]> => {
  const records: AuditRecord[] = []
  for (const { topic } of topicsOf(1)) {
    for (let partition = 0; partition < log.partitionCount(topic); partition++) {
      const place = { topic, partition }
      for await (const chunk of log.read(place, 0, await log.end(place)))
        records.push(...chunk.map((record) => ({ ...place, ...record })))
    }
  }
  return records
}
