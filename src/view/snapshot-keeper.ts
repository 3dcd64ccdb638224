import type { Clock } from '../base/index.ts'
import type { ViewSnapshots } from './snapshots.ts'
import type { Positions, StoreSpace, ViewStore } from './store.ts'

export type KeeperDeps = {
  readonly store: ViewStore
  readonly snapshots: ViewSnapshots
  readonly clock: Clock
  readonly limits: KeeperLimits
  readonly onSaved: (facts: { readonly bytes: number; readonly records: number }) => void
  readonly onError: (error: unknown) => void
}

export type KeeperLimits = {
  /** How often it is looked whether a copy is due. */
  readonly snapshotCheckMs: number
  /** Records folded since the last copy that make another one due, whoever folded and whoever copied. */
  readonly snapshotRecordsMin: number
  /** Of a large store the more, so that its blocks are not written all the time: one for so many bytes. */
  readonly snapshotBytesPerRecord: number
}

/** 250,000 records are some 64 MiB of journals, and 10,000 orders; a million orders are copied again after 34,000. */
export const keeperLimits: KeeperLimits = {
  snapshotCheckMs: 5_000,
  snapshotRecordsMin: 250_000,
  snapshotBytesPerRecord: 1_000
}

/** Has the store copied whenever much has been folded since it was copied last. */
export class SnapshotKeeper {
  readonly #deps: KeeperDeps
  readonly #stop = new AbortController()
  #known: Positions | undefined
  #cancel: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  start(): void {
    const { clock, limits, onError } = this.#deps
    if (this.#stop.signal.aborted) return
    this.#cancel = clock.at(clock.now() + limits.snapshotCheckMs, () => {
      this.#running = this.#turn()
        .catch((error: unknown) => (this.#stop.signal.aborted ? undefined : onError(error)))
        .finally(() => this.start())
    })
  }

  /** What is being saved is broken off, and not waited for: the log may be away. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancel?.()
    await this.#running
  }

  async #turn(): Promise<void> {
    const { store, snapshots } = this.#deps
    const { positions } = await store.moment()
    const space = store.space()
    if (space === undefined || !this.#isDue(positions, space)) return
    // Another view may have saved meanwhile.
    this.#known = (await this.#unlessStopped(snapshots.newest()))?.positions ?? new Map()
    if (this.#isDue(positions, space)) await this.#save()
  }

  /** Rejects at the stop, whatever comes of it. */
  async #unlessStopped<T>(doing: Promise<T>): Promise<T> {
    const { signal } = this.#stop
    const { promise: stopped, reject } = Promise.withResolvers<never>()
    const stop = (): void => reject(signal.reason as Error)
    doing.catch(() => undefined)
    signal.throwIfAborted()
    signal.addEventListener('abort', stop)
    try {
      return await Promise.race([doing, stopped])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #isDue(positions: Positions, { bytes }: StoreSpace): boolean {
    const { snapshotRecordsMin, snapshotBytesPerRecord } = this.#deps.limits
    const due = Math.max(snapshotRecordsMin, bytes / snapshotBytesPerRecord)
    return recordsBetween(this.#known ?? new Map(), positions) >= due
  }

  async #save(): Promise<void> {
    const { store, snapshots, onSaved } = this.#deps
    const copy = await store.copy()
    if (copy === undefined) return
    try {
      if (!(await this.#unlessStopped(snapshots.save(copy, this.#stop.signal)))) return
      const records = recordsBetween(this.#known ?? new Map(), copy.positions)
      this.#known = copy.positions
      onSaved({ bytes: copy.bytes, records })
    } finally {
      await copy.release()
    }
  }
}

const recordsBetween = (from: Positions, to: Positions): number => {
  let records = 0
  for (const [place, { next }] of to) records += next - (from.get(place)?.next ?? 0)
  return records
}
