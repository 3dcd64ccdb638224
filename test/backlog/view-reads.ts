import { setTimeout as wait } from 'node:timers/promises'

export type Reads = {
  readonly url: string
  /** Orders that have ended. */
  readonly ids: readonly string[]
  /** Whether waiting is of no use any more. */
  readonly isOver: () => boolean
  readonly patienceMs: number
}

/**
 * Until a view shows each of these orders as ended. Until then it may refuse (503), or not listen yet; any other answer
 * is wrong. Gives what was wrong.
 */
export const untilShown = async ({ url, ids, isOver, patienceMs }: Reads): Promise<string[]> => {
  const until = performance.now() + patienceMs
  const left = [...ids]
  const wrong = new Set<string>()
  while (left.length > 0 && !isOver()) {
    const answer = await read(`${url}/orders/${left.at(-1)!}`)
    if (answer === 'ended') left.pop()
    else if (answer !== 'refused') wrong.add(`the view has answered '${answer}' for an order that has ended`)
    if (performance.now() > until) return [...wrong, `the view is not right after ${patienceMs / 1000} s`]
    if (answer !== 'ended') await wait(pollMs)
  }
  return [...wrong]
}

const read = async (url: string): Promise<string> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) })
    const { status } = (await response.json()) as { status: string | number }
    if (response.status === 503) return 'refused'
    if (!response.ok) return String(response.status)
    return ends.has(status) ? 'ended' : String(status)
  } catch {
    return 'refused'
  }
}

const ends = new Set<unknown>(['COMPLETED', 'REJECTED', 'CANCELLED'])
const pollMs = 50
const answerMsMax = 5_000
