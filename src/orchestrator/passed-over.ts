import { ParcomoloError } from '../base/index.ts'
import type { Definition, Expression } from '../saga/index.ts'
import type { MessageInput } from '../task/index.ts'

/**
 * Why an event meant nothing to a saga that it was meant for: its key could not be told, is empty, or has had its
 * instance.
 */
export type PassedOverReason = 'key-failed' | 'key-empty' | 'key-used'

export type PassedOverCount = {
  readonly saga: string
  readonly revision: string
  readonly reason: PassedOverReason
  count: number
}

export type PassedOverListener = {
  /** A key of a saga fails: told once for each place in a revision and each way of failing. */
  readonly onFailed: (error: ParcomoloError) => void
  /** A start whose key has had its instance, each time; `at`: `<topic>/<partition>/<offset>`. */
  readonly onUsed: (saga: string, key: string, at: string) => void
}

/** The saga that passes an event over. */
type Whose = Pick<Definition, 'name' | 'revision'>

/** What sagas have passed over since the start, which nobody else takes notice of: all others have had the event. */
export class PassedOver {
  readonly #listener: PassedOverListener
  readonly #counts = new Map<string, PassedOverCount>()
  readonly #told = new Set<string>()

  constructor(listener: PassedOverListener) {
    this.#listener = listener
  }

  counts(): Iterable<PassedOverCount> {
    return this.#counts.values()
  }

  failed(whose: Whose, key: Expression, input: MessageInput, cause: unknown): void {
    const isNew = this.#count(whose, key.source, 'key-failed')
    if (isNew) this.#tell(whose, input, messageOf(cause), cause)
  }

  empty(whose: Whose, key: Expression, input: MessageInput): void {
    const isNew = this.#count(whose, key.source, 'key-empty')
    const why = `its key '${key.source}' gives an empty text; expected one that tells its instances apart`
    if (isNew) this.#tell(whose, input, why)
  }

  used(whose: Whose, key: string, input: MessageInput): void {
    this.#count(whose, '', 'key-used')
    this.#listener.onUsed(whose.name, key, placeOf(input))
  }

  /** True the first time. */
  #count({ name: saga, revision }: Whose, key: string, reason: PassedOverReason): boolean {
    const id = `${saga}@${revision} ${reason}`
    const known = this.#counts.get(id)
    if (known === undefined) this.#counts.set(id, { saga, revision, reason, count: 1 })
    else known.count++
    const place = `${id} ${key}`
    const isNew = !this.#told.has(place)
    this.#told.add(place)
    return isNew
  }

  #tell({ name, revision }: Whose, input: MessageInput, why: string, cause?: unknown): void {
    this.#listener.onFailed(
      new ParcomoloError(
        'PARCOMOLO_ORCHESTRATOR_KEY_FAILED',
        `saga '${name}' at revision '${revision}' passes over '${input.type}' at ${placeOf(input)}, which all others ` +
          `have: ${why}; guard the expression, or mend the event's sender; what follows of the same is only counted`,
        { cause }
      )
    )
  }
}

const placeOf = ({ topic, partition, offset }: MessageInput): string => `${topic}/${partition}/${offset}`

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
