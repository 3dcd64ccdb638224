/**
 * The log's port: what the journal protocol needs of a log, and nothing else. Two adapters, embedded and Kafka, pass
 * one contract suite.
 *
 * Words. A *partition* is an ordered list of records, numbered by *offset* from 0. A *journal* partition has exactly
 * one writer at a time, got by `claim`; an *inbox* partition is appended to by whoever may, by `send`. A *compacted*
 * topic keeps at least the newest record of each key.
 *
 * L1. A batch is atomic: all of its records get consecutive offsets, or none is ever seen.
 * L2. After a claim has resolved and the new writer has appended once, no append of an older writer succeeds.
 * L3. Prefix durability: when a record is durable, so is everything that its writer could have read before it
 *     appended it. So whoever only appends may read what is not durable yet (`visible`); whoever shows it to the
 *     outside, or stores it elsewhere, reads `durable`.
 * L4. Within a partition readers see records in offset order, each once, without gaps other than those of compaction.
 */

import type { ParcomoloError } from '../base/index.ts'

export type TopicPartition = { readonly topic: string; readonly partition: number }

/** String values only: what the protocol needs, and what any client can print. */
export type Headers = Readonly<Record<string, string>>

export type LogRecord = {
  readonly key: string
  /**
   * Null deletes the key in a compacted topic. A journal from before markers had a value has markers without one.
   * Of a record that was read it may be a view into what was read with it (1 MiB, or one batch that is larger), which
   * it keeps in memory: whoever keeps it beyond the round copies it.
   */
  readonly value: Uint8Array | null
  /** Milliseconds since 1970, UTC. */
  readonly timestamp: number
  readonly headers: Headers
}

/** A record with its place. Offsets are whole numbers below 2^53. */
export type StoredRecord = LogRecord & {
  readonly offset: number
  /**
   * Only on what a reader gives for a batch of others that cannot be read at all: why. It stands at the first of its
   * offsets that were to be read, and has nothing else. A range is not read on beyond such a batch.
   */
  readonly unreadable?: ParcomoloError
}

export type TopicSpec = {
  readonly topic: string
  readonly partitions: number
  readonly cleanup: 'delete' | 'compact'
  /** Of a journal: nothing of it is ever deleted by its age. Otherwise the log may do so, as it is set up. */
  readonly retention?: 'forever'
  /** Of a compacted topic: all of it can be made again from journals, so a log that finds it damaged may empty it. */
  readonly isCache?: true
  /**
   * Of a topic of others, who may add partitions to it: whether those are counted (`partitionCount`), to be read, or
   * left unused. Without it the number is to be as declared.
   */
  readonly morePartitions?: 'read' | 'unused'
}

/** Records of one partition, in offset order; never empty. */
export type Chunk = TopicPartition & { readonly records: readonly StoredRecord[] }

/** The one writer of a journal partition or of a compacted partition. */
export type JournalWriter = TopicPartition & {
  /**
   * Appends one atomic batch and resolves with the offset of its first record as soon as the order is settled and
   * readers can see it; durability may follow (`Log.durable`). One append at a time. A fault whose outcome is unknown
   * is retried inside, with the same bytes, until it is known. Rejects with PARCOMOLO_LOG_FENCED when another owner
   * has claimed the partition: this writer is then dead. Rejects with PARCOMOLO_LOG_FULL, retryable and with nothing
   * appended, while the log cannot store more. The records are the log's from then on: nobody changes them or their
   * bytes. Compacted batches stay at or below 1,000 records, as each is one transaction.
   */
  append(records: readonly LogRecord[]): Promise<number>
}

export type Isolation = 'visible' | 'durable'

/**
 * Follows any number of partitions. What was not taken stays in the log, but for what is read ahead, which an adapter
 * bounds for the whole process (`Budget`): the log is the queue, so there is no other bound to set.
 */
export type Reader = {
  /**
   * Hands over what has arrived, at once: at most so many records and bytes (as `recordBytes` counts them) in all, but
   * always one record where there is one; fair over the partitions; empty when there is nothing.
   */
  take(recordsMax: number, bytesMax?: number): Chunk[]
  /**
   * Resolves when `take` has something to hand over, and when the reader is closed. Rejects when the log has failed for
   * good, or was closed: so whoever still follows a closed log hears of it, and does not ask for ever.
   */
  ready(): Promise<void>
  close(): void
}

/** One member's place in a group. */
export type Membership = {
  /**
   * Resolves when the group has told, after this call, that the assignment announced last still holds, or has announced
   * another; and when the member leaves. So an owner that has been fenced does not take back what is another's by now.
   */
  confirm(): Promise<void>
  /** How far the member has read its inputs, for tools that show lag. Nothing depends on it, and nothing is awaited. */
  report(nexts: readonly (TopicPartition & { readonly offset: number })[]): void
  leave(): Promise<void>
}

/** Whether the log takes what it is given; a code and a message of `ParcomoloError` where it does not. */
export type LogHealth =
  | {
      readonly ok: true
      /** What single topics suffer from, each with its code: only who needs that topic waits. */
      readonly concerns?: readonly string[]
    }
  | { readonly ok: false; readonly code: string; readonly message: string }

export type Log = {
  /** Makes the topics that are missing, and checks the others. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>
  /** Number of partitions of a topic that `ensureTopics` has named; throws for any other. */
  partitionCount(topic: string): number
  /** Tells when a topic has more partitions to be read than before. Absent where that does not happen. */
  onGrown?(listener: (topic: string) => void): void
  /** Makes the caller the one writer of this partition (L2). */
  claim(place: TopicPartition): Promise<JournalWriter>
  /**
   * Appends to partitions that everybody may write (inboxes): the batch of each partition in the order given.
   * Resolves when all are acknowledged (visible, as `append`). At least once: after a rejection some may be there,
   * and a caller that sends them again sends them in the same order.
   */
  send(records: readonly (LogRecord & TopicPartition)[]): Promise<void>
  /** A reader of these partitions from these offsets on (inclusive). */
  reader(starts: readonly (TopicPartition & { readonly offset: number })[], isolation: Isolation): Reader
  /**
   * Reads what stands in `[from, to)` of one partition, in chunks; for recovery. It ends at `to`, which must not lie
   * beyond the end.
   */
  read(place: TopicPartition, from: number, to: number): AsyncIterable<readonly StoredRecord[]>
  /** The offset that the next visible record will get. */
  end(place: TopicPartition): Promise<number>
  /** Resolves when everything below `offset` would survive a crash of the machine. */
  durable(place: TopicPartition, offset: number): Promise<void>
  /**
   * The newest values of these keys in a compacted partition; a key that is not there is left out. It sees everything
   * up to the caller's own last append to that partition, and so all of older owners once the caller has fenced them.
   */
  lookup(place: TopicPartition, keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>>
  /**
   * Joins the group that shares these partitions. `onAssignment` gets the whole list that is this member's now, each
   * time it changes; the embedded log gives everything to its one process at once.
   */
  join(
    group: string,
    places: readonly TopicPartition[],
    onAssignment: (mine: readonly TopicPartition[]) => void
  ): Promise<Membership>
  health(): LogHealth
  /** What it has done since it was opened, as counts that only rise; the names are the adapter's. */
  stats(): Readonly<Record<string, number>>
  /**
   * By partition of a topic of others, the offset up to which their group has committed, where it has; absent where
   * no other program can read the log. Rejects where it cannot be told now, or is not told to this log-in.
   */
  committed?(group: string, topic: string): Promise<ReadonlyMap<number, number>>
  /**
   * Notes in the log that what a topic has lost, or what was lost with it when it was made anew, is lost, so that those
   * go on who wait for it; with what each of its partitions has now. Absent where a log loses nothing by itself.
   * Rejects with PARCOMOLO_LOG_TOPIC_MISSING.
   */
  acceptLoss?(topic: string, by: string, reason: string): Promise<readonly TopicRange[]>
  /** What its topics take on disks, where the log can ask for it. Rejects where it is not told. */
  diskUsage?(): Promise<DiskUsage>
  close(): Promise<void>
}

/** Of a partition: the offset of its first record, and the one that its next will get. */
export type TopicRange = { readonly start: number; readonly end: number }

/** In bytes, with all copies. */
export type DiskUsage = {
  readonly topics: ReadonlyMap<string, number>
  /** Of each folder that a node keeps partitions in: the size of its volume, and what is free there. */
  readonly volumes: readonly {
    readonly node: number
    readonly folder: string
    readonly bytes: number
    readonly freeBytes: number
  }[]
}

/** `<topic>/<partition>`: how a place is named in positions and messages. */
export const placeName = (place: TopicPartition): string => `${place.topic}/${place.partition}`
