import { type Clock, isParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { type Log, placeName } from '../log/index.ts'
import { Follower, type FollowLimits, followLimits } from './follow.ts'
import { type Learn, ReadModel } from './model.ts'
import { placesOf, startMoment } from './opening.ts'
import type { Mark } from './position.ts'
import { type FilterBy, isShown, type Projection } from './projection.ts'
import type { RowWait, ViewHealth, ViewProgress, ViewQuery, ViewState } from './query.ts'
import type { Place, ViewRecord } from './record.ts'
import { type KeeperLimits, keeperLimits, SnapshotKeeper } from './snapshot-keeper.ts'
import type { ViewSnapshots } from './snapshots.ts'
import type { Count, Page, PageRequest, ViewStore } from './store.ts'
import { type Waiter, Waiters } from './waiters.ts'

export type ViewDeps = {
  readonly log: Log
  readonly codec: Codec
  /** Of the projections that are followed. */
  readonly store: ViewStore
  /** The journals that are followed: those that projections read, and all others that somebody waits for. */
  readonly topics: readonly string[]
  readonly clock: Clock
  /** For records that were written with schemas of other versions. */
  readonly learn?: Learn
  readonly logger?: ViewLogger
  /** It will see nothing more, and has to be opened anew. */
  readonly onFailed?: (error: unknown) => void
  readonly limits?: Partial<ViewLimits>
  /** Where the store is copied to, if anywhere. */
  readonly snapshots?: ViewSnapshots
}

export type ViewLimits = FollowLimits &
  KeeperLimits & {
    /** As many writes may wait at once, and as many reads. */
    readonly waitersMax: number
    /** Rows of each projection that are kept in memory after they have been written, in bytes. */
    readonly recentBytesMax: number
    /** How long a query waits for this view to fold what another one has stored already. */
    readonly behindPatienceMs: number
  }

export const viewLimits: ViewLimits = {
  ...followLimits,
  ...keeperLimits,
  waitersMax: 2_000,
  recentBytesMax: 4 * 1024 * 1024,
  behindPatienceMs: 5_000
}

/** For what an operator should know. */
export type ViewLogger = {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

export type View = ViewQuery & {
  /** Resolves when all that was in the log at opening has been folded; rejects when the view fails before. */
  readonly caughtUp: Promise<void>
  /** Writes what has changed, and lets the store go. Whoever still waits is answered as if the time were up. */
  close(): Promise<void>
}

/** Opens the read model and starts to follow the journals from where the store stands. */
export const openView = async (deps: ViewDeps): Promise<View> => {
  const limits = { ...viewLimits, ...deps.limits }
  checkReads(deps)
  const places = placesOf(deps.topics, deps.log)
  const onRebuild = (reason: string): void => deps.logger?.warn({ reason }, `the read model is built anew: ${reason}`)
  const moment = await startMoment(deps.log, deps.store, places, onRebuild)
  const skippedCount = await deps.store.countSkipped()
  const { store, codec, learn, clock } = deps
  const { recentBytesMax, behindPatienceMs } = limits
  const onHeldUp = (error: unknown): void => view.onHeldUp(error)
  const onWentBack = (error: unknown): void => view.onWentBack(error)
  const model = new ReadModel(
    { store, codec, recentBytesMax, behindPatienceMs, learn, clock, onHeldUp, onWentBack },
    { moment, skippedCount }
  )
  const target = new Map<string, number>()
  for (const place of places) target.set(place.name, await deps.log.end(place))
  const view = new FollowingView(deps, { limits, places, model, target })
  view.start()
  return view
}

/** What is read has to be followed, or it would never be seen. */
const checkReads = ({ store, topics }: ViewDeps): void => {
  for (const { name, reads } of store.layout.projections)
    for (const topic of reads)
      if (!topics.includes(topic))
        throw new TypeError(`the projection '${name}' reads '${topic}', which is not followed`)
}

type Parts = {
  readonly limits: ViewLimits
  readonly places: readonly Place[]
  readonly model: ReadModel
  /** Where the log ended at opening. */
  readonly target: ReadonlyMap<string, number>
}

class FollowingView implements View {
  readonly caughtUp: Promise<void>
  readonly #deps: ViewDeps
  readonly #parts: Parts
  readonly #waiters: Waiters
  readonly #follower: Follower
  readonly #keeper: SnapshotKeeper | undefined
  readonly #opened: { readonly at: number; readonly done: number }
  #isCaughtUp = false
  #settleCaughtUp: { resolve(): void; reject(error: unknown): void }
  #failure: unknown
  #storeFailure: unknown
  #heldUpBy: unknown

  constructor(deps: ViewDeps, parts: Parts) {
    this.#deps = deps
    this.#parts = parts
    this.#waiters = new Waiters(deps.clock, parts.limits.waitersMax)
    this.#opened = { at: deps.clock.now(), done: this.#counted().done }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.caughtUp = promise
    this.#settleCaughtUp = { resolve, reject }
    promise.catch(() => undefined)
    this.#follower = new Follower({
      log: deps.log,
      model: parts.model,
      places: parts.places,
      clock: deps.clock,
      limits: parts.limits,
      listener: {
        onRecord: (record) => this.#waiters.onAnswer(record),
        onChange: (table, { key, ahead }) => this.#waiters.onChange(table.projection.name, key, ahead !== undefined),
        onSkipped: (skipped) =>
          deps.logger?.error(
            skipped,
            `skipped ${skipped.place}@${skipped.offset}, which is now missing from the read model: ${skipped.message}`
          )
      },
      onRound: () => this.#onRound(),
      onStore: (error) => this.#onStore(error),
      onFailed: (error) => this.#onFailed(error)
    })
    this.#keeper = keeperOf(deps, parts.limits)
  }

  start(): void {
    this.#checkCaughtUp()
    this.#follower.start()
  }

  async row<Row extends object>(of: Projection<Row>, key: string): Promise<Row | undefined> {
    const row = await this.#parts.model.get(of, key)
    return row !== undefined && isShown(of, row) ? row : undefined
  }

  list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Page<Row>> {
    return this.#parts.model.list((store) => store.list(of, filter, page))
  }

  count(of: Projection): Promise<readonly Count[]> {
    return this.#parts.model.list((store) => store.count(of))
  }

  whenRow<Row extends object>(
    of: Projection<Row>,
    key: string,
    isMet: (row: Row) => boolean,
    wait: RowWait
  ): Waiter<Row> {
    const isMetAndShown = (row: Row): boolean => isShown(of, row) && isMet(row)
    const row = this.#parts.model.recent(of, key)
    if (row !== undefined && isMetAndShown(row)) return metAlready(row)
    const waiter = this.#waiters.row(of, key, isMetAndShown, wait)
    if (wait.by === 'read' && row === undefined) void this.#checkStored(of, key)
    return waiter
  }

  whenAnswered(commandId: string, timeoutMs: number): Waiter<ViewRecord> {
    return this.#waiters.answer(commandId, timeoutMs)
  }

  whenSeen(marks: readonly Mark[], timeoutMs: number): Waiter<true> {
    const hasSeen = (mark: Mark): boolean => this.#parts.model.next(placeName(mark)) > mark.offset
    if (marks.every(hasSeen)) return metAlready(true)
    return this.#waiters.position(marks, hasSeen, timeoutMs)
  }

  follows(mark: Mark): boolean {
    return this.#parts.target.has(placeName(mark))
  }

  async beyondEnd(marks: readonly Mark[]): Promise<Mark | undefined> {
    for (const mark of marks) {
      if (this.#parts.model.next(placeName(mark)) > mark.offset) continue
      if (mark.offset >= (await this.#endOf(mark))) return mark
    }
    return undefined
  }

  /** A log that cannot tell does not say that there is none. */
  async #endOf(mark: Mark): Promise<number> {
    try {
      return await this.#deps.log.end(mark)
    } catch {
      return Infinity
    }
  }

  state(): ViewState {
    if (this.#failure !== undefined) return 'failed'
    return this.#isCaughtUp ? 'following' : 'catching-up'
  }

  isStalled(): boolean {
    return this.#stalledBy() !== undefined
  }

  progress(): ViewProgress {
    const { of, done } = this.#counted()
    const { at, done: before } = this.#opened
    const secondsLeft =
      done > before ? (((of - done) / (done - before)) * (this.#deps.clock.now() - at)) / 1000 : undefined
    return { done, of, secondsLeft }
  }

  health(): ViewHealth {
    const { model, places } = this.#parts
    return {
      isCaughtUp: this.#isCaughtUp,
      failure: messageOf(this.#failure),
      storeFailure: messageOf(this.#storeFailure),
      stalledBy: this.#stalledBy(),
      skippedCount: model.skippedCount,
      waiterCount: this.#waiters.count,
      changedRowCount: model.changedCount,
      space: this.#deps.store.space(),
      positions: Object.fromEntries(places.map(({ name }) => [name, model.next(name)]))
    }
  }

  async close(): Promise<void> {
    await this.#keeper?.close()
    try {
      await this.#follower.close()
    } catch (error) {
      this.#deps.logger?.info(
        { error: messageOf(error) },
        'the read model could not be written at the end; it will be folded again'
      )
    }
    this.#waiters.end()
    this.#settleCaughtUp.resolve()
    await this.#deps.store.close()
  }

  /** The model waits for something that may pass; with undefined, it goes on. */
  onHeldUp(error: unknown): void {
    this.#heldUpBy = error
    const { logger } = this.#deps
    if (error === undefined) return logger?.info({}, 'the read model goes on')
    const code = isParcomoloError(error) ? error.code : undefined
    logger?.error({ error: messageOf(error), code }, 'the read model waits, and tries again until it works')
  }

  onWentBack(error: unknown): void {
    this.#follower.fail(error)
  }

  #stalledBy(): string | undefined {
    return messageOf(this.#heldUpBy) ?? this.#storeBacklog()
  }

  #counted(): { readonly done: number; readonly of: number } {
    const { target, model } = this.#parts
    let [done, of] = [0, 0]
    for (const [place, end] of target) {
      done += Math.min(model.next(place), end)
      of += end
    }
    return { done, of }
  }

  #storeBacklog(): string | undefined {
    const { model, limits } = this.#parts
    return model.changedBytes > limits.waitingBytesMax ? 'its store cannot be written' : undefined
  }

  /** The wait has begun before this look, so that nothing falls between them. */
  async #checkStored(of: Projection, key: string): Promise<void> {
    try {
      this.#waiters.tell(of.name, key, await this.#parts.model.get(of, key))
    } catch (error) {
      // What the view is behind with, it tells the waiter of when it has folded it.
      if (!isParcomoloError(error, 'PARCOMOLO_VIEW_BEHIND')) this.#onStore(error)
    }
  }

  #onRound(): void {
    this.#waiters.onRound(this.#parts.model)
    if (!this.#isCaughtUp) this.#checkCaughtUp()
  }

  #checkCaughtUp(): void {
    const { target, model } = this.#parts
    for (const [place, end] of target) if (model.next(place) < end) return
    this.#isCaughtUp = true
    this.#settleCaughtUp.resolve()
    void this.#dropOlder()
    this.#keeper?.start()
  }

  /** Not before: until then other processes may still answer from an older layout. */
  async #dropOlder(): Promise<void> {
    try {
      await this.#deps.store.dropOlder()
    } catch (error) {
      this.#deps.logger?.info({ error: messageOf(error) }, 'what an older layout has left could not be removed')
    }
  }

  #onStore(error: unknown): void {
    if (error !== undefined && this.#storeFailure === undefined)
      this.#deps.logger?.error({ error: messageOf(error) }, `the read model's store fails: ${messageOf(error)}`)
    if (error === undefined && this.#storeFailure !== undefined)
      this.#deps.logger?.info({}, "the read model's store takes writes again")
    this.#storeFailure = error
  }

  #onFailed(error: unknown): void {
    this.#failure = error
    const code = isParcomoloError(error) ? error.code : undefined
    this.#deps.logger?.error({ error: messageOf(error), code }, `the read model has stopped: ${messageOf(error)}`)
    this.#waiters.end(error)
    this.#settleCaughtUp.reject(error)
    this.#deps.onFailed?.(error)
  }
}

const metAlready = <T>(value: T): Waiter<T> => ({ done: Promise.resolve(value), cancel: () => undefined })

const keeperOf = ({ store, snapshots, clock, logger }: ViewDeps, limits: KeeperLimits): SnapshotKeeper | undefined => {
  if (snapshots === undefined) return undefined
  return new SnapshotKeeper({
    ...{ store, snapshots, clock, limits },
    onSaved: (facts) => logger?.info(facts, 'the store of the read model has been copied'),
    onError: (error) =>
      logger?.error({ error: messageOf(error) }, 'the store of the read model could not be copied; it is tried again')
  })
}

const messageOf = (error: unknown): string | undefined => {
  if (error === undefined) return undefined
  return error instanceof Error ? error.message : 'something that is no error was thrown'
}
