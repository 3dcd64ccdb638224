import { type Clock, isParcomoloError } from '../base/index.ts'
import { type Log, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import { header, sourceOf } from './headers.ts'
import type { Unanswered } from './unanswered.ts'

export type GroupReadingsDeps = {
  readonly log: Log
  readonly clock: Clock
  readonly journal: TopicPartition
  readonly unanswered: Unanswered
  /** The group by which the participant of an inbox reads it; undefined where nobody has named one. */
  readonly groupOf: (inbox: string) => string | undefined
  /** Something was seen to be read. */
  readonly onRead: () => void
  /** With undefined, it works again. Told once each. */
  readonly onFailure: (inbox: string, error: unknown) => void
}

const everyMs = 1_000
/** Others may write to the inbox too: so far back the last own command before the committed offset is looked for. */
const recordsBackMax = 500

/**
 * How far foreign participants have read what this journal has sent them, by what their group has committed. It is
 * asked for once a second, and only while something is unread. Where that cannot be told, their answers still tell.
 */
export class GroupReadings {
  readonly #deps: GroupReadingsDeps
  readonly #committed = new Map<string, number>()
  readonly #failing = new Set<string>()
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(deps: GroupReadingsDeps) {
    this.#deps = deps
  }

  start(): void {
    const { log, clock } = this.#deps
    if (log.committed === undefined || this.#isStopped) return
    this.#cancel = clock.at(clock.now() + everyMs, () => {
      void this.#ask().then(() => this.start())
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  async #ask(): Promise<void> {
    const asked = Map.groupBy(this.#deps.unanswered.unreadPlaces(), ({ topic }) => topic)
    await Promise.all([...asked].map(([inbox, places]) => this.#askFor(inbox, places)))
  }

  async #askFor(inbox: string, places: readonly TopicPartition[]): Promise<void> {
    const { log, groupOf, onFailure } = this.#deps
    const group = groupOf(inbox)
    if (group === undefined) return
    try {
      const committed = await log.committed!(group, inbox)
      for (const place of places) await this.#take(place, committed.get(place.partition))
      if (this.#failing.delete(inbox)) onFailure(inbox, undefined)
    } catch (error) {
      if (this.#isStopped || this.#failing.has(inbox)) return
      this.#failing.add(inbox)
      onFailure(inbox, error)
    }
  }

  /** What the group has committed counts as read up to the last command of this journal that stands before it. */
  async #take(place: TopicPartition, committed: number | undefined): Promise<void> {
    const name = placeName(place)
    if (committed === undefined) return
    const { log, journal, unanswered, clock, onRead } = this.#deps
    if (this.#committed.get(name) === committed) return unanswered.isToldOf(name)
    const sequence = await lastSequence(log, sourceOf(journal), place, committed)
    this.#committed.set(name, committed)
    // Not before: what cannot be looked up must not count as unread for ever.
    unanswered.isToldOf(name)
    if (sequence === undefined || this.#isStopped) return
    unanswered.read(name, sequence + 1, clock.now())
    onRead()
  }
}

/**
 * The sequence of the last command of this source that stands in an inbox partition before this offset; undefined where
 * none is among the last few there. Retention may have deleted some of them, and then fewer are looked at.
 */
export const lastSequence = async (
  log: Log,
  source: string,
  place: TopicPartition,
  before: number
): Promise<number | undefined> => {
  for (let back = Math.min(recordsBackMax, before); back >= 1; back = Math.floor(back / 2)) {
    try {
      let last: StoredRecord | undefined
      for await (const records of log.read(place, before - back, before))
        last = records.findLast(({ headers }) => headers[header.source] === source) ?? last
      return last === undefined ? undefined : Number(last.headers[header.sequence])
    } catch (error) {
      if (!isParcomoloError(error, 'PARCOMOLO_LOG_OUT_OF_RANGE')) throw error
    }
  }
  return undefined
}
