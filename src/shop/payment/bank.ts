/** What the bank says to a request for money. */
export type Verdict =
  | { readonly kind: 'captured' }
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'later'; readonly afterMs: number }
  | { readonly kind: 'silent' }

/** The simulated bank, which knows test tokens only. `attempt` counts from 1. */
export const ask = (token: string, attempt: number): Verdict => {
  switch (token) {
    case 'tok_visa':
      return { kind: 'captured' }
    case 'tok_declined':
      return { kind: 'declined', reason: 'declined' }
    case 'tok_slow':
      return { kind: 'later', afterMs: slowMs }
    case 'tok_flaky':
      return attempt >= flakyAttempts ? { kind: 'captured' } : { kind: 'silent' }
    case 'tok_silent':
      return { kind: 'silent' }
    default:
      return { kind: 'declined', reason: 'unknown token' }
  }
}

/**
 * In choreography nobody asks payment a second time, so it asks the bank again itself, after a pause:
 * the flaky one answers two pauses later, the silent one never.
 */
export const askUntilAnswered = (token: string): Verdict =>
  token === 'tok_flaky' ? { kind: 'later', afterMs: (flakyAttempts - 1) * pauseMs } : ask(token, 1)

const slowMs = 2000
const flakyAttempts = 3
const pauseMs = 200
