import { type KubeObject, microTime } from './resource.ts'

export type Lease = KubeObject & { readonly spec: LeaseSpec }

/** Its times of day are for people: nobody here compares them with a clock. */
export type LeaseSpec = {
  /** Empty where the last holder has given it away. */
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/** The one Lease that all who want to lead share. */
export type LeaseStore = {
  get(signal: AbortSignal): Promise<Lease>
  create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease>
  /** Rejects with a conflict where the lease was changed since it was read. */
  update(lease: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease>
}

export type LeaderTimes = {
  /** Others wait for so long after the last sign of the leader. */
  readonly leaseMs: number
  /** A leader that has not been able to renew for so long stops: before others may begin. */
  readonly renewMs: number
  readonly retryMs: number
}

export const leaderTimes: LeaderTimes = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 }

/** Whether one who waits may take a lease that has not changed under its eyes for so long. */
export const isExpired = ({ leaseDurationSeconds = 0 }: LeaseSpec, unchangedMs: number): boolean =>
  unchangedMs >= leaseDurationSeconds * 1000

/** The lease with a new sign of life from this holder, whoever had it before. */
export const renewedLease = (
  before: LeaseSpec | undefined,
  identity: string,
  { now, leaseMs }: { readonly now: number; readonly leaseMs: number }
): LeaseSpec => {
  const isMine = before?.holderIdentity === identity
  const transitions = before?.leaseTransitions ?? 0
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: (isMine ? before.acquireTime : undefined) ?? microTime(now),
    renewTime: microTime(now),
    leaseTransitions: before === undefined || isMine ? transitions : transitions + 1
  }
}

/** Given away: whoever waits takes it at its next look. */
export const releasedLease = (before: LeaseSpec, now: number): LeaseSpec => ({
  ...before,
  holderIdentity: '',
  leaseDurationSeconds: 1,
  renewTime: microTime(now)
})
