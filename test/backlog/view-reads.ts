import { setTimeout as wait } from 'node:timers/promises'

export type Reads = {
  readonly url: string
  /** Orders that have ended, with their ends where they are known. */
  readonly orders: readonly { readonly orderId: string; readonly status?: string }[]
  /** A position that the view must have seen: it is a moment behind what others still write. */
  readonly position?: string
  /** Whether waiting is of no use any more. */
  readonly isOver: () => boolean
  readonly patienceMs: number
}

/**
 * Until a view shows each of these orders as ended. Until then it may refuse (503), or not listen yet; any other answer
 * is wrong. Gives what was wrong.
 */
export const untilShown = async ({ url, orders, position, isOver, patienceMs }: Reads): Promise<string[]> => {
  const until = performance.now() + patienceMs
  const left = [...orders]
  const wrong = new Set<string>()
  while (left.length > 0 && !isOver()) {
    const { orderId, status } = left.at(-1)!
    const answer = await read(`${url}/orders/${orderId}`, position)
    const isRight = status === undefined ? ends.has(answer) : answer === status
    if (isRight) left.pop()
    else if (answer !== refused) wrong.add(`the view has answered '${answer}' for order ${orderId}, which has ended`)
    if (performance.now() > until) return [...wrong, `the view is not right after ${patienceMs / 1000} s`]
    if (!isRight) await wait(pollMs)
  }
  return [...wrong]
}

const read = async (url: string, position: string | undefined): Promise<string> => {
  const headers = position === undefined ? {} : { 'parcomolo-position': position }
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(answerMsMax) })
    const { status } = (await response.json()) as { status: string | number }
    return response.status === 503 ? refused : String(status)
  } catch {
    return refused
  }
}

/** Or not to be reached. */
const refused = 'refused'
const ends = new Set<string>(['COMPLETED', 'REJECTED', 'CANCELLED'])
const pollMs = 50
const answerMsMax = 5_000
