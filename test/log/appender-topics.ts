import type { StoredRecord } from '../../src/log/index.ts'

/** What the process `appender.ts` writes: a sequence of numbers, dealt out to three partitions. */
export const appenderTopics = [{ topic: 'journal', partitions: 3, cleanup: 'delete' }] as const

export const sequenceOf = (stored: StoredRecord): number => Number(stored.key)
