import { type Clock, isParcomoloError, ParcomoloError, partitionOf } from '../base/index.ts'
import { type Contracts, learnSchemas, makeCodec, type Message } from '../contract/index.ts'
import { type Headers, type Log, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import { orchestratorInbox, sagaJournal } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import { deadLetterTopic, ownHeaders } from '../task/index.ts'
import { type Letter, Letters, noteHeaders, originOf, resentHeaders } from './letter.ts'

/** A letter as it is listed. */
export type DeadLetter = Pick<
  Letter,
  'offset' | 'component' | 'type' | 'code' | 'reason' | 'at' | 'omitted' | 'resentAt'
> & {
  /** `<topic>/<partition>/<offset>` of the record that could not be read. */
  readonly origin: string
}

/** The record itself. */
export type DeadRecord = {
  readonly key: string
  /** Milliseconds since 1970, UTC. */
  readonly timestamp: number
  readonly headers: Headers
  readonly value: Uint8Array | null
  /** The value as its own schema reads it, where the registry has that. */
  readonly decoded: { readonly type: string; readonly value: object } | undefined
}

/** A letter that was sent back, to `<topic>/<partition>`; or why it was not. */
export type Resending = { readonly letter: DeadLetter } & ({ readonly to: string } | { readonly staysFor: string })

/** What people can do with dead letters. */
export type DeadLetters = {
  /** In the order of their offsets; `unread` records of the topic are too old to be looked at. */
  list(): Promise<{ readonly letters: readonly DeadLetter[]; readonly unread: number }>
  /** Rejects with PARCOMOLO_MAIN_DEAD_LETTER_UNKNOWN where the offset has none. */
  show(offset: number): Promise<{ readonly letter: DeadLetter; readonly record: DeadRecord }>
  /**
   * Sends these back to where they came from, a command to the partition of its key, also those that were sent back
   * before; `all`: those that never were, and may be. At least once: a second call after an error may send some again,
   * with the same id. Rejects with PARCOMOLO_MAIN_DEAD_LETTER_STAYS, and sends none, where one that was named may not
   * be sent back.
   */
  resend(wanted: readonly number[] | 'all'): Promise<readonly Resending[]>
}

type DeskDeps = {
  readonly log: Pick<Log, 'partitionCount' | 'end' | 'read' | 'send' | 'durable'>
  /** Without one, values are shown as bytes. */
  readonly registry: Registry | undefined
  /** Whether a component of this runtime writes this participant's events. */
  readonly isHosted: (participant: string) => boolean
  readonly contracts: Contracts
  readonly clock: Clock
}

const place: TopicPartition = { topic: deadLetterTopic.topic, partition: 0 }
/** Only the newest of the topic are looked at: one that fills up like that asks for another cure. */
const recordsMax = 100_000

/** Lists the letters of a log that somebody else opens and closes, and sends them back. */
export class Desk implements DeadLetters {
  readonly #deps: DeskDeps
  /** Knows no schema but those of the letters, as they were written. */
  readonly #codec = makeCodec([])

  constructor(deps: DeskDeps) {
    this.#deps = deps
  }

  async list(): ReturnType<DeadLetters['list']> {
    const letters = await this.#letters()
    return { letters: letters.all.map(listed), unread: letters.from }
  }

  async show(offset: number): ReturnType<DeadLetters['show']> {
    const letter = known(await this.#letters(), offset)
    for await (const [record] of this.#deps.log.read(place, letter.offset, letter.offset + 1)) {
      const { key, value, timestamp, headers } = record!
      const decoded = value === null ? undefined : this.#decoded(value)
      return { letter: listed(letter), record: { key, timestamp, headers: ownHeaders(headers), value, decoded } }
    }
    throw unknown(offset)
  }

  async resend(wanted: readonly number[] | 'all'): Promise<readonly Resending[]> {
    const letters = await this.#letters()
    const chosen =
      wanted === 'all'
        ? letters.all.filter(({ resentAt }) => resentAt === undefined)
        : [...new Set(wanted.map((offset) => known(letters, offset)))]
    const staying = new Map(chosen.flatMap((letter) => this.#staysFor(letter).map((why) => [letter, why] as const)))
    if (wanted !== 'all' && staying.size > 0) throw stays(staying)
    await this.#sendBack(chosen.filter((letter) => !staying.has(letter)))
    return chosen.map((letter) => {
      const staysFor = staying.get(letter)
      return {
        letter: listed(letter),
        ...(staysFor === undefined ? { to: placeName(this.#targetOf(letter)) } : { staysFor })
      }
    })
  }

  async #letters(): Promise<Letters> {
    const end = await this.#deps.log.end(place)
    const letters = new Letters(Math.max(0, end - recordsMax))
    for await (const records of this.#deps.log.read(place, letters.from, end)) {
      await this.#learn(records)
      for (const record of records) letters.take(record, (value) => this.#decoded(value)?.type)
    }
    return letters
  }

  async #learn(records: readonly StoredRecord[]): Promise<void> {
    const { registry } = this.#deps
    const values = records.map(({ value }) => value)
    if (registry !== undefined) await learnSchemas(this.#codec, registry, values)
  }

  #decoded(value: Uint8Array): Message | undefined {
    try {
      return this.#codec.decode(value)
    } catch (error) {
      if (isParcomoloError(error)) return undefined
      throw error
    }
  }

  /** One after the other, in their order; only when the record is back is it noted. */
  async #sendBack(letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return
    const { log, clock } = this.#deps
    const byOffset = new Map(letters.map((letter) => [letter.offset, letter]))
    const offsets = [...byOffset.keys()].sort((a, b) => a - b)
    for await (const records of log.read(place, offsets[0]!, offsets.at(-1)! + 1)) {
      for (const record of records) {
        const letter = byOffset.get(record.offset)
        if (letter === undefined) continue
        const { key, value } = record
        const timestamp = clock.now()
        const sent = { ...this.#targetOf(letter), key, value, timestamp }
        await log.send([{ ...sent, headers: resentHeaders(letter, record.headers) }])
        const headers = noteHeaders(letter.offset, new Date(timestamp).toISOString())
        await log.send([{ ...place, key: '', value: null, timestamp, headers }])
      }
    }
    await log.durable(place, await log.end(place))
  }

  /** Where its record came from; of an inbox the partition of its key, where it may not have been. */
  #targetOf({ topic, partition, key }: Letter): TopicPartition {
    const { contracts, log } = this.#deps
    const isKeyed = key !== '' && isInbox(topic, contracts)
    return { topic, partition: isKeyed ? partitionOf(key, log.partitionCount(topic)) : partition }
  }

  /** Nothing, or the one reason why the letter may not be sent back. */
  #staysFor(letter: Letter): string[] {
    const { topic } = letter
    if (hasNoRecord(letter) !== undefined) return [hasNoRecord(letter)!]
    const { contracts, isHosted } = this.#deps
    const { all } = contracts
    const owner = topic === sagaJournal ? 'orchestrator' : all.find(({ events }) => events === topic)?.participant
    if (owner === 'orchestrator' || isHosted(owner ?? ''))
      return [`'${topic}' is the journal of '${owner}', to which nobody else writes`]
    if (owner === undefined && !isInbox(topic, contracts))
      return [`'${topic}' is no inbox and no events topic of a participant`]
    const { partition } = this.#targetOf(letter)
    return partition < this.#deps.log.partitionCount(topic) ? [] : [`'${topic}' has no partition ${partition} any more`]
  }
}

/** Of a participant, or the orchestrator's own. */
const isInbox = (topic: string, { all }: Contracts): boolean =>
  topic === orchestratorInbox || all.some(({ inbox }) => inbox === topic)

const hasNoRecord = ({ omitted, code }: Letter): string | undefined => {
  if (code === 'PARCOMOLO_LOG_BATCH_UNREADABLE') return 'it stands for a batch, whose producer has to send it again'
  return omitted === undefined ? undefined : `its value of ${omitted} bytes was too long for a letter`
}

const listed = (letter: Letter): DeadLetter => {
  const { offset, component, type, code, reason, at, omitted, resentAt } = letter
  return { offset, component, type, code, reason, at, omitted, resentAt, origin: originOf(letter) }
}

const known = (letters: Letters, offset: number): Letter => {
  const letter = letters.get(offset)
  if (letter === undefined) throw unknown(offset)
  return letter
}

const unknown = (offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_DEAD_LETTER_UNKNOWN',
    `there is no dead letter '${offset}'; expected a number that 'parcomolo dead-letters list' shows`
  )

const stays = (staying: ReadonlyMap<Letter, string>): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_DEAD_LETTER_STAYS',
    [...staying].map(([{ offset }, why]) => `letter '${offset}' is not sent back, and none with it: ${why}`).join('\n')
  )
