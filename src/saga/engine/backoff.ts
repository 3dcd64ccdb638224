import { seededRandom } from '../../base/index.ts'
import { type RetryPolicy } from '../definition/index.ts'

/** Beyond this power the cap has long been reached; it keeps the product finite. */
const exponentMax = 50

/**
 * The pause before an attempt (the second or a later one). It grows up to the end of the first round; all later rounds
 * use that longest pause. The jitter comes from the command's id and the attempt, so that a replay waits as long as the
 * first run did.
 */
export const pauseMs = (policy: RetryPolicy, commandId: string, attempt: number): number => {
  const exponent = Math.min(attempt - 2, policy.attempts - 1, exponentMax)
  const pause = Math.min(policy.capMs, policy.backoffMs * policy.factor ** exponent)
  if (policy.jitter === 0) return Math.round(pause)
  const random = seededRandom(`${commandId}#${attempt}`)()
  return Math.round(pause * (1 + policy.jitter * (2 * random - 1)))
}
