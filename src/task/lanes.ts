import { type Log, placeName, type Reader, type StoredRecord, type TopicPartition } from '../log/index.ts'
import type { Taken } from './inputs.ts'

/** How far each partition of each lane was read again, by `<lane>@<topic>/<partition>`: the next offset. */
export type LanePositions = Readonly<Record<string, number>>

/** Records that are read again for one lane, to be made inputs of and given to `hold`. */
export type LaneChunk = {
  readonly lane: string
  readonly place: TopicPartition
  readonly records: readonly StoredRecord[]
  hold(taken: readonly Taken[]): void
}

export type LanesDeps = {
  readonly log: Pick<Log, 'reader'>
  /** There may be more to read again. */
  readonly resume: () => void
  readonly fail: (error: unknown) => void
}

/** What is read again of one partition at a time, so what a lane holds at most. */
const recordsMax = 500
const bytesMax = 256 * 1024

/** A partition of which something was put off. */
type Part = {
  readonly place: TopicPartition
  next: number
  /** Read again and not begun; `next` is the place of the first, or where there is none, after all that was read. */
  held: readonly Taken[]
  readTo: number
  reader: Reader | undefined
  isAsked: boolean
}

/**
 * What begins something and was put off, since there was no room for it (`Unanswered`, U3). It stays in the log, where
 * it costs nothing, while the rest of its partition is read on, and is read again when there is room.
 *
 * A1. What is put off together is a lane. While anything of it is put off, all is that comes later, so that what came
 *     first begins first.
 * A2. Only beginnings are put off: answers, cancels, and what begins in other lanes are heard at once.
 * A3. How far a lane was read again is journaled with the batch that moves it (T1), the whole of all lanes each time.
 *     So what begins does so once: by the position of its partition, or by that of its lane.
 * A4. Where there is room for some only, the lanes take turns.
 */
export class Lanes {
  /** Since `take` was last called for. */
  hasChanged = false
  readonly #deps: LanesDeps
  readonly #lanes = new Map<string, Map<string, Part>>()
  #names: ReadonlySet<string> = new Set()
  #turn = 0

  constructor(deps: LanesDeps) {
    this.#deps = deps
  }

  /** The lanes of which something is put off. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** Takes in what the journal says, or a snapshot, which may stand for what no batch has said yet. */
  restore(positions: LanePositions, isJournaled: boolean): void {
    this.close()
    this.#lanes.clear()
    for (const [name, next] of Object.entries(positions)) {
      const { lane, place } = parseName(name)
      this.#add(lane, place, next)
    }
    this.hasChanged = !isJournaled
  }

  all(): LanePositions {
    const parts = [...this.#lanes].flatMap(([lane, ofLane]) =>
      [...ofLane].map(([place, { next }]) => ({ lane, place, next }))
    )
    return Object.fromEntries(parts.map(({ lane, place, next }) => [`${lane}@${place}`, next]))
  }

  /** The positions for a batch, which covers them then. */
  takeChanged(): LanePositions {
    this.hasChanged = false
    return this.all()
  }

  /** Where of this partition the first stands that was put off; undefined where nothing was. */
  firstOf(place: string): number | undefined {
    const nexts = [...this.#lanes.values()].flatMap((parts) => parts.get(place)?.next ?? [])
    return nexts.length === 0 ? undefined : Math.min(...nexts)
  }

  /** True where it follows from what was put off before that this is, too. */
  has(lane: string, place: string): boolean {
    return this.#lanes.get(lane)?.has(place) === true
  }

  putOff(lane: string, place: TopicPartition, offset: number): void {
    if (this.has(lane, placeName(place))) return
    this.#add(lane, place, offset)
    this.hasChanged = true
  }

  /** Reads on where nothing is held; `end`: how far a partition was read for everything else. */
  take(end: (place: string) => number): LaneChunk[] {
    const chunks: LaneChunk[] = []
    for (const [lane, parts] of this.#lanes)
      for (const [name, part] of parts)
        if (part.held.length === 0) chunks.push(...this.#takePart(lane, part, end(name)))
    return chunks
  }

  /** What is held, of each partition of a lane the first `count`. */
  held(count: number): readonly Taken[] {
    if (this.#lanes.size === 0) return none
    return [...this.#lanes.values()].flatMap((parts) =>
      [...parts.values()].flatMap(({ held }) => (count < held.length ? held.slice(0, count) : held))
    )
  }

  /**
   * Begins in their order those that `begin` takes; a lane that has come to the end of its partitions is over. `passed`
   * follows each, when its position has moved: false where the stop came first.
   */
  async begin(
    end: (place: string) => number,
    begin: (lane: string, taken: Taken) => boolean,
    passed: () => Promise<boolean>
  ): Promise<boolean> {
    for (const [lane, parts] of this.#inTurn()) {
      for (const [name, part] of [...parts]) {
        const hadSome = part.held.length > 0
        if (!(await this.#beginPart(part, (taken) => begin(lane, taken), passed))) return false
        if (part.held.length === 0) this.#goOn(lane, name, { end: end(name), hadSome })
      }
    }
    return true
  }

  /** Another lane comes first each time, so that one does not take all the room there is whenever there is some. */
  #inTurn(): [string, Map<string, Part>][] {
    const lanes = [...this.#lanes]
    const first = this.#turn++ % lanes.length
    return [...lanes.slice(first), ...lanes.slice(0, first)]
  }

  async #beginPart(part: Part, begin: (taken: Taken) => boolean, passed: () => Promise<boolean>): Promise<boolean> {
    while (part.held.length > 0 && begin(part.held[0]!)) {
      this.#pass(part)
      if (!(await passed())) return false
    }
    return true
  }

  /** Where nothing of a partition is held: to what comes next, or to the end. */
  #goOn(lane: string, name: string, { end, hadSome }: { readonly end: number; readonly hadSome: boolean }): void {
    const part = this.#lanes.get(lane)!.get(name)!
    this.#moveTo(part, part.readTo)
    if (part.next >= end) this.#drop(lane, name, part)
    else if (hadSome) this.#deps.resume()
    else this.#ask(part)
  }

  close(): void {
    for (const parts of this.#lanes.values()) for (const { reader } of parts.values()) reader?.close()
  }

  #takePart(lane: string, part: Part, end: number): LaneChunk[] {
    const { place } = part
    part.reader ??= this.#deps.log.reader([{ ...place, offset: part.next }], 'visible')
    const records = part.reader.take(recordsMax, bytesMax).flatMap((chunk) => chunk.records)
    if (records.length === 0) return []
    const below = records.filter(({ offset }) => offset < end)
    if (below.length < records.length) this.#closeReader(part)
    part.readTo = Math.min(end, records.at(-1)!.offset + 1)
    return [{ lane, place, records: below, hold: (taken) => void (part.held = taken) }]
  }

  /** What it has read too far is read anew: by then more of it may be put off. */
  #closeReader(part: Part): void {
    part.reader?.close()
    part.reader = undefined
  }

  #pass(part: Part): void {
    const [first, ...rest] = part.held
    part.held = rest
    this.#moveTo(part, first!.record.offset + 1)
  }

  #moveTo(part: Part, next: number): void {
    if (next <= part.next) return
    part.next = next
    this.hasChanged = true
  }

  /** Wakes the task when there is something to be read. */
  #ask(part: Part): void {
    if (part.isAsked || part.reader === undefined) return
    part.isAsked = true
    part.reader.ready().then(
      () => {
        part.isAsked = false
        this.#deps.resume()
      },
      (error: unknown) => this.#deps.fail(error)
    )
  }

  #add(lane: string, place: TopicPartition, next: number): void {
    const parts = this.#lanes.get(lane) ?? new Map<string, Part>()
    parts.set(placeName(place), { place, next, held: none, readTo: next, reader: undefined, isAsked: false })
    this.#lanes.set(lane, parts)
    this.#names = new Set(this.#lanes.keys())
  }

  #drop(lane: string, name: string, part: Part): void {
    this.#closeReader(part)
    const parts = this.#lanes.get(lane)!
    parts.delete(name)
    if (parts.size === 0) this.#lanes.delete(lane)
    this.#names = new Set(this.#lanes.keys())
    this.hasChanged = true
  }
}

const none: readonly never[] = []

const parseName = (name: string): { readonly lane: string; readonly place: TopicPartition } => {
  const [lane, slash] = [name.slice(0, name.indexOf('@')), name.lastIndexOf('/')]
  return { lane, place: { topic: name.slice(lane.length + 1, slash), partition: Number(name.slice(slash + 1)) } }
}
