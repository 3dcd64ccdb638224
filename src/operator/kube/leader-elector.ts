import { type ElapsedClock, ParcomoloError } from '../../base/index.ts'
import { isConflict, isNotFound } from './api-error.ts'
import {
  isExpired,
  type LeaderTimes,
  leaderTimes,
  type LeaseSpec,
  type LeaseStore,
  releasedLease,
  renewedLease
} from './lease.ts'
import { deadline, pause } from './pause.ts'

export type LeaderElectorDeps = {
  readonly leases: LeaseStore
  /** Different for each process, also for two that run in the same pod one after the other. */
  readonly identity: string
  readonly clock: ElapsedClock
  readonly random: () => number
  /** The API server did not answer, or refused; it is tried again. */
  readonly onError: (error: unknown) => void
  readonly times?: Partial<LeaderTimes>
}

/**
 * Leads while it holds the Lease, as client-go does.
 *
 * E1. Two never lead at once, as long as their clocks run equally fast: times are judged by the own clock alone, from
 *     when a change of the lease was first seen, and a leader stops before others may begin.
 * E2. Who has led and does not any more never leads again: `lost` resolves, and the process has to end.
 * E3. A leader that stops gives the lease away, so that the next one need not wait for it to expire.
 */
export class LeaderElector {
  readonly #deps: LeaderElectorDeps
  readonly #times: LeaderTimes
  readonly #stop = new AbortController()
  readonly #elected = Promise.withResolvers<void>()
  readonly #lost = Promise.withResolvers<ParcomoloError>()
  #state: 'waiting' | 'leading' | 'over' = 'waiting'
  #seen: LeaseSpec | undefined
  #seenAt = 0
  #renewedAt = 0
  #running: Promise<void> = Promise.resolve()

  constructor(deps: LeaderElectorDeps) {
    this.#deps = deps
    this.#times = { ...leaderTimes, ...deps.times }
  }

  /** Resolves when this process leads. */
  get elected(): Promise<void> {
    return this.#elected.promise
  }

  /** Resolves when it has led and does not any more, unless it was stopped. */
  get lost(): Promise<ParcomoloError> {
    return this.#lost.promise
  }

  /** Also false where the process has stood still and does not know yet that its time is up. */
  get isLeader(): boolean {
    return this.#state === 'leading' && this.#leftMs() > 0
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    if (this.#state !== 'over') await this.#release()
    this.#state = 'over'
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#deps
    const { signal } = this.#stop
    const { retryMs, renewMs } = this.#times
    while (!(await this.#attempt(renewMs))) {
      await pause(clock, retryMs * (1 + random() * 0.2), signal)
      if (signal.aborted) return
    }
    this.#state = 'leading'
    this.#elected.resolve()
    while (this.isLeader) {
      await pause(clock, Math.min(retryMs, this.#leftMs()), signal)
      if (signal.aborted) return
      if (!(await this.#attempt(this.#leftMs())) && this.#isTaken()) break
    }
    if (!signal.aborted) this.#lose()
  }

  #leftMs(): number {
    return this.#renewedAt + this.#times.renewMs - this.#deps.clock.elapsed()
  }

  #isTaken(): boolean {
    const holder = this.#seen?.holderIdentity
    return holder !== undefined && holder !== '' && holder !== this.#deps.identity
  }

  #lose(): void {
    this.#state = 'over'
    const reason = this.#isTaken()
      ? `the lease is held by '${this.#seen?.holderIdentity}'`
      : `the lease could not be renewed for ${this.#times.renewMs} ms`
    this.#lost.resolve(leadershipLost(this.#deps.identity, reason))
  }

  /** One try to take or to renew the lease. What fails is reported, unless it is a race that another has won. */
  async #attempt(msMax: number): Promise<boolean> {
    // Half of the time, so that a connection that leads nowhere leaves time for another.
    const limit = deadline(this.#deps.clock, Math.min(msMax, this.#times.renewMs / 2), this.#stop.signal)
    try {
      return await this.#takeOrRenew(limit.signal).catch((error: unknown) => {
        if (!isConflict(error)) throw error
        // Only a look shows a leader whether it was beaten, or somebody has merely touched its lease.
        return this.#state === 'leading' && this.#takeOrRenew(limit.signal)
      })
    } catch (error) {
      if (!this.#stop.signal.aborted && !isConflict(error)) this.#deps.onError(error)
      return false
    } finally {
      limit.cancel()
    }
  }

  async #takeOrRenew(signal: AbortSignal): Promise<boolean> {
    const { leases, clock, identity } = this.#deps
    const [now, askedAt] = [clock.now(), clock.elapsed()]
    const lease = await leases.get(signal).catch(orMissing)
    if (lease !== undefined) this.#see(lease.spec)
    if (lease !== undefined && !this.#isFree(lease.spec)) return false
    const spec = renewedLease(lease?.spec, identity, { now, leaseMs: this.#times.leaseMs })
    const { spec: stored } = await (lease === undefined
      ? leases.create(spec, signal)
      : leases.update(lease, spec, signal))
    this.#see(stored)
    // From when it was asked for: others may have seen it from then on.
    this.#renewedAt = askedAt
    return true
  }

  #see(spec: LeaseSpec): void {
    if (JSON.stringify(spec) !== JSON.stringify(this.#seen)) this.#seenAt = this.#deps.clock.elapsed()
    this.#seen = spec
  }

  /** A leader whose lease somebody else has leads no more, even if that one is about to expire. */
  #isFree(spec: LeaseSpec): boolean {
    if (!this.#isTaken()) return true
    return this.#state !== 'leading' && isExpired(spec, this.#deps.clock.elapsed() - this.#seenAt)
  }

  /** What is under way when it is stopped may have taken the lease all the same, so it looks once more. */
  async #release(): Promise<void> {
    const { leases, clock, identity } = this.#deps
    const limit = deadline(clock, this.#times.retryMs, undefined)
    try {
      const lease = await leases.get(limit.signal)
      if (lease.spec.holderIdentity === identity)
        await leases.update(lease, releasedLease(lease.spec, clock.now()), limit.signal)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) this.#deps.onError(error)
    } finally {
      limit.cancel()
    }
  }
}

export const leadershipLost = (identity: string, reason: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_OPERATOR_LEADERSHIP_LOST',
    `'${identity}' does not lead any more: ${reason}; expected to be started again`
  )

const orMissing = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error
}
