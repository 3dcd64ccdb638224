import { type RetryPolicy } from './definition.ts'

/** What holds where the file says nothing. */
export const policyDefaults = {
  timeoutMs: 10_000,
  retry: { attempts: 5, backoffMs: 200, factor: 2, capMs: 10_000, jitter: 0.2 },
  /** A compensation is worth far more patience: some 50 minutes, before a person is asked. */
  undoTimeoutMs: 10_000,
  undoRetry: { attempts: 50, backoffMs: 200, factor: 2, capMs: 60_000, jitter: 0.2 }
} as const satisfies Record<string, RetryPolicy | number>
