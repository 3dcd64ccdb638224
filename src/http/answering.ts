import type { ViewRecord, Waiter } from '../view/index.ts'
import type { RouteDeps } from './deps.ts'

/** Who answers a write: the view, or while that cannot, the intake. */

/** Whether the view folds what comes. While it does not, it may still be right in what it shows. */
export const isFollowing = ({ view, viewHealth }: RouteDeps): boolean =>
  view.state() === 'following' && !view.isStalled() && (viewHealth === undefined || viewHealth().every(({ ok }) => ok))

/**
 * What has to be known before a command is sent: from the view, or where that does not follow (any more), from what the
 * route knows without it.
 */
export const asked = async <T>(deps: RouteDeps, byView: () => Promise<T>, without: () => T): Promise<T> => {
  const { intake } = deps
  if (intake === undefined) return byView()
  if (!isFollowing(deps)) return without()
  try {
    return await byView()
  } catch (error) {
    if (isFollowing(deps) || !intake.ready()) throw error
    return without()
  }
}

/**
 * Waits for what a command has led to: by the view where that follows, in its own form, and by the event that answers
 * the command, which the intake sees where it is found meanwhile that the view does not follow any more.
 */
export const whenAnswered = <T>(
  deps: RouteDeps,
  commandId: string,
  byView: (timeoutMs: number) => Waiter<T>,
  ofRecord: (record: ViewRecord) => T
): Waiter<T> => {
  const { answerTimeoutMs } = deps.limits
  const byIntake = deps.intake?.whenAnswered(commandId, answerTimeoutMs)
  if (byIntake === undefined) return byView(answerTimeoutMs)
  const fromJournal = mapped(byIntake, ofRecord)
  return isFollowing(deps) ? first(() => byView(answerTimeoutMs), fromJournal) : fromJournal
}

export const mapped = <A, B>({ done, cancel }: Waiter<A>, change: (value: A) => B): Waiter<B> => ({
  done: done.then((value) => (value === undefined ? undefined : change(value))),
  cancel
})

/** Whichever is there first; the other is not waited for then. A view that fails meanwhile leaves it to the other. */
const first = <T>(open: () => Waiter<T>, other: Waiter<T>): Waiter<T> => {
  let one: Waiter<T>
  try {
    one = open()
  } catch (error) {
    other.cancel()
    throw error
  }
  const cancel = (): void => {
    one.cancel()
    other.cancel()
  }
  return { done: Promise.race([one.done.catch(() => other.done), other.done]).finally(cancel), cancel }
}
