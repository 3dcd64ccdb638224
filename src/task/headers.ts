import type { Headers, TopicPartition } from '../log/index.ts'

/**
 * The journal's own headers, and those of CloudEvents (Kafka binding, binary mode) that the runtime reads and writes.
 */
export const header = {
  /**
   * On the first record of a batch: `{"<topic>/<partition>": next offset}`, only what has changed since the batch
   * before.
   */
  positions: 'parcomolo-positions',
  /**
   * On the first record of a batch, where it has changed: all commands of events below this journal offset are in their
   * inboxes.
   */
  forwarded: 'parcomolo-forwarded',
  /**
   * On the first record of a batch, where it has changed: how far what was put off has been begun (lanes.ts), of all
   * lanes.
   */
  lanes: 'parcomolo-lanes',
  /** On a fence, the marker that a new owner writes first: its name. */
  fence: 'parcomolo-fence',
  /** On an entity's snapshot: the journal offset that it stands for. */
  version: 'parcomolo-version',
  specVersion: 'ce_specversion',
  id: 'ce_id',
  /**
   * On the records of journals too, so that whoever reads one knows it by its headers. The rest of a CloudEvent would
   * say once more where the record stands, at three times the cost.
   */
  type: 'ce_type',
  source: 'ce_source',
  subject: 'ce_subject',
  correlationId: 'ce_correlationid',
  causationId: 'ce_causationid',
  attempt: 'ce_attempt',
  /** RFC 3339, as the CloudEvents extension has it: from then on nobody waits for the answer. */
  expiryTime: 'ce_expirytime',
  /** The journal offset of the event that sent the command. */
  sequence: 'ce_sequence',
  /** On a record that was sent back from the dead letters: the offset of its letter. */
  resent: 'parcomolo-resent'
} as const

/** How the commands of a journal partition name their source. */
export const sourceOf = (journal: TopicPartition): string => `/${journal.topic}/${journal.partition}`

/** The place that a source names as `sourceOf` does; undefined for any other source. */
export const parseSource = (source: string): TopicPartition | undefined => {
  const match = /^\/([^/]+)\/(0|[1-9]\d{0,8})$/.exec(source)
  return match === null ? undefined : { topic: match[1]!, partition: Number(match[2]) }
}

/**
 * The position under which a task keeps the next sequence that it would take from a source by one inbox partition.
 * Order is kept within a partition only, so each has its own.
 */
export const sequencePosition = (source: string, inbox: string): string => `from:${source.slice(1)}@${inbox}`

export const parsePositions = (headers: Headers): Readonly<Record<string, number>> => {
  const text = headers[header.positions]
  return text === undefined ? {} : (JSON.parse(text) as Record<string, number>)
}
