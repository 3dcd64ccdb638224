import type { Log, TopicPartition } from '../../src/log/index.ts'
import type { ViewStore } from '../../src/view/index.ts'

/** What stands between a view and its log or its store, to bring about what several processes bring about by chance. */

/** A log whose journals can be kept from one view: what is appended meanwhile comes later. */
export const holdable = (log: Log): Holdable => {
  const held = new Set<string>()
  let released = Promise.withResolvers<void>()
  const reader: Log['reader'] = (starts, isolation) => {
    const real = log.reader(starts, isolation)
    const isHeld = (): boolean => starts.some(({ topic }: TopicPartition) => held.has(topic))
    const ready = async (): Promise<void> => {
      while (isHeld()) await released.promise
      await real.ready()
      if (isHeld()) await ready()
    }
    return { take: (max) => (isHeld() ? [] : real.take(max)), ready, close: () => real.close() }
  }
  return {
    log: replaced(log, { reader }),
    hold: (...topics) => {
      for (const topic of topics) held.add(topic)
    },
    release: (...topics) => {
      for (const topic of topics.length === 0 ? [...held] : topics) held.delete(topic)
      released.resolve()
      released = Promise.withResolvers<void>()
    }
  }
}

export type Holdable = {
  readonly log: Log
  readonly hold: (...topics: readonly string[]) => void
  /** All of them if none is named. */
  readonly release: (...topics: readonly string[]) => void
}

export type Grip = {
  readonly store: ViewStore
  /** From now on no call of its process reaches the store. */
  readonly kill: () => void
  /** The answer to the next write is lost on its way. */
  readonly loseAnswer: () => void
  readonly writeCount: number
  /** No call is on its way. */
  readonly isIdle: boolean
}

/** A process's grip on a store. */
export const gripOn = (store: ViewStore): Grip => {
  const state = { isKilled: false, losesAnswer: false, writeCount: 0, calls: 0 }
  const alive = async <T>(call: () => Promise<T>): Promise<T> => {
    if (state.isKilled) throw new Error('killed')
    state.calls++
    const result = await call().finally(() => state.calls--)
    if (state.isKilled) throw new Error('killed')
    return result
  }
  const write: ViewStore['write'] = async (change, last) => {
    state.writeCount++
    const result = await alive(() => store.write(change, last))
    if (!state.losesAnswer) return result
    state.losesAnswer = false
    throw new Error('the answer is lost')
  }
  const gripped = new Proxy(store, {
    get: (target, name) => {
      if (name === 'write') return write
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      const call = member.bind(target) as (...args: unknown[]) => unknown
      // Whoever holds it lets go of it in any case.
      if (name === 'failure' || name === 'close') return call
      return (...args: unknown[]) => alive(async () => call(...args))
    }
  })
  return {
    store: gripped,
    kill: () => void (state.isKilled = true),
    loseAnswer: () => void (state.losesAnswer = true),
    get writeCount() {
      return state.writeCount
    },
    get isIdle() {
      return state.calls === 0
    }
  }
}

/**
 * One store for several views of this process, as far as it can: one call at a time, so that what is read is of one
 * moment.
 */
export const oneAtATime = (store: ViewStore): ViewStore => {
  let last: Promise<unknown> = Promise.resolve()
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (name === 'close') return async () => undefined
      if (typeof member !== 'function' || name === 'failure') return member
      return (...args: unknown[]): Promise<unknown> => {
        const call = last.then(() => (member as (...given: unknown[]) => unknown).apply(target, args))
        last = call.catch(() => undefined)
        return call
      }
    }
  })
}

const replaced = <T extends object>(target: T, changes: Partial<T>): T =>
  new Proxy(target, {
    get: (_, name) => {
      if (name in changes) return Reflect.get(changes, name)
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    }
  })
