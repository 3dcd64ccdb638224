/** Why a condition is as it is, and what Events tell of: one word each, for programs. */
export const reasons = {
  /** The operator has not looked yet. */
  pending: 'Pending',
  /** The spec is in force. */
  published: 'Published',
  accepted: 'Accepted',
  /** The spec is wrong and stays so until somebody changes it. */
  invalid: 'Invalid',
  incompatible: 'Incompatible',
  conflict: 'Conflict',
  /** The spec names what no participant has (yet). */
  waiting: 'WaitingForParticipants',
  /** Something outside did not work, and is tried again. */
  failing: 'Failing',
  /** The resource is being deleted. */
  retired: 'Retired',
  running: 'InstancesRunning',
  inUse: 'InUse',
  withdrawn: 'Withdrawn',
  /** A condition that does not hold. */
  settled: 'Settled',
  progressing: 'Progressing'
} as const

export type Reason = (typeof reasons)[keyof typeof reasons]
