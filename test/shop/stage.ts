import { isDeepStrictEqual } from 'node:util'
import type { ExecutionContext } from 'ava'
import fc, { type IRawProperty } from 'fast-check'
import type { Component, Event, Input } from '../../src/task/index.ts'

export type Options = { id?: string; attempt?: number; topic?: string; key?: string }

type Value = Readonly<Record<string, unknown>>

/**
 * Runs a component without a log: one input at a time, every event folded at once. On the way it holds the component to
 * what the runtime relies on: nothing that is passed in is changed, nothing is looked at that `keysOf` has not named,
 * and an entity survives its snapshot.
 */
export class Stage<S> {
  readonly journal: Event[] = []
  readonly #component: Component<S>
  readonly #entities = new Map<string, S>()
  #now = 1_000_000
  #inputs = 0

  constructor(component: Component<S>) {
    this.#component = component
  }

  /** A message on the inbox, or on another topic. Gives what was decided. */
  tell(type: string, value: object, options: Options = {}): readonly Event[] {
    const offset = this.#inputs++
    const topic = options.topic ?? this.#component.inbox!
    const id = options.id ?? `${topic}/0/${offset}`
    const key = options.key ?? String((value as Value)['orderId'] ?? (value as Value)['sku'])
    const attempt = options.attempt ?? 1
    const bytes = new Uint8Array()
    return this.#input({
      kind: 'message',
      type,
      value: value as Value,
      bytes,
      key,
      id,
      attempt,
      topic,
      partition: 0,
      offset
    })
  }

  /** The runtime's timers: fires what is due, in order, up to `ms` from now. */
  elapse(ms: number): readonly Event[] {
    const until = this.#now + ms
    const decided: Event[] = []
    for (let next = this.#nextTimer(until); next !== undefined; next = this.#nextTimer(until)) {
      this.#now = Math.max(this.#now, next.dueAt)
      const events = this.#input({ kind: 'timer', key: next.key })
      if (events.length === 0) throw new Error(`nothing follows from the timer of '${next.key}'`)
      decided.push(...events)
    }
    this.#now = until
    return decided
  }

  /** What the component makes of an input it may pass over. */
  isFor(type: string, value: object, topic: string): boolean {
    const input = { kind: 'message', type, value: value as Value, bytes: new Uint8Array(), key: '', id: '' } as const
    return this.#component.keysOf({ ...input, attempt: 1, topic, partition: 0, offset: 0 }).length > 0
  }

  entity(key: string): S | undefined {
    return this.#entities.get(key)
  }

  hasEnded(key: string): boolean {
    return this.#component.hasEnded(this.#entities.get(key)!)
  }

  /** All entities, as text that can be compared. */
  state(): string {
    return stateText(this.#entities)
  }

  /** The same from the journal alone. */
  refolded(): string {
    const entities = new Map<string, S>()
    for (const event of this.journal) this.#fold(entities, event)
    return stateText(entities)
  }

  #input(input: Input): readonly Event[] {
    const named = this.#component.keysOf(deepFreeze(input))
    const look = (key: string): S | undefined => {
      if (!named.includes(key)) throw new Error(`looks at '${key}', which it has not named`)
      return this.#entities.get(key)
    }
    const events = named.length === 0 ? [] : this.#component.decide(look, input, this.#now)
    for (const decided of events) {
      const event = deepFreeze({ ...decided, at: this.#now })
      this.journal.push(event)
      this.#fold(this.#entities, event)
    }
    return events
  }

  #fold(entities: Map<string, S>, event: Event): void {
    for (const key of new Set(this.#component.touches(event))) {
      const entity = this.#component.evolve(entities.get(key), event, key)
      if (entity === undefined) entities.delete(key)
      else entities.set(key, deepFreeze(this.#throughSnapshot(entity)))
    }
  }

  #throughSnapshot(entity: S): S {
    const { snapshot } = this.#component
    const restored = snapshot.decode(snapshot.encode(entity))
    if (!isDeepStrictEqual(restored, entity)) throw new Error(`its snapshot loses some of ${JSON.stringify(entity)}`)
    return restored
  }

  #nextTimer(until: number): { key: string; dueAt: number } | undefined {
    let next: { key: string; dueAt: number } | undefined
    for (const [key, entity] of this.#entities) {
      const dueAt = this.#component.dueAt(entity)
      if (dueAt !== undefined && dueAt <= until && dueAt < (next?.dueAt ?? Infinity)) next = { key, dueAt }
    }
    return next
  }
}

/** Type and value of events, without what the binding adds. */
export const said = (events: readonly Event[]): unknown[] => events.map(({ type, value }) => ({ type, value }))

export const typesOf = (events: readonly Event[]): string[] => events.map(({ type }) => type)

/** SEED=… repeats a run that has failed. Inside a property `node:assert` speaks, so that fast-check can shrink. */
export const holds = (t: ExecutionContext, property: IRawProperty<unknown>, numRuns = 300): void => {
  const { SEED } = process.env
  t.notThrows(() => fc.assert(property, SEED === undefined ? { numRuns } : { numRuns, seed: Number(SEED) }))
}

const stateText = (entities: ReadonlyMap<string, unknown>): string =>
  JSON.stringify([...entities].sort(([a], [b]) => (a < b ? -1 : 1)))

const deepFreeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
