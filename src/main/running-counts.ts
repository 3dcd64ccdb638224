import { ParcomoloError } from '../base/index.ts'
import type { RunningCount, RunningPort } from '../operator/index.ts'

/** The read model answers out of memory. */
const timeoutMs = 5_000

type DefinitionsPage = {
  readonly items: readonly {
    readonly saga: string
    readonly revisions: readonly { readonly revision: string; readonly running: number }[]
  }[]
}

/** Asks the REST interface of the process that has the read model. Rejects, retryable, where there is no answer. */
export const countRunning = (viewUrl: string | null): RunningPort => ({
  count: async () => {
    if (viewUrl === null) throw unavailable('PARCOMOLO_VIEW_URL names none')
    try {
      const response = await fetch(`${viewUrl}/definitions`, { signal: AbortSignal.timeout(timeoutMs) })
      if (!response.ok) throw unavailable(`${viewUrl} answers with status ${response.status}`)
      return countsOf((await response.json()) as DefinitionsPage)
    } catch (cause) {
      if (cause instanceof ParcomoloError) throw cause
      throw unavailable(`${viewUrl} gives no answer (${reasonOf(cause)})`, cause)
    }
  }
})

const countsOf = ({ items }: DefinitionsPage): RunningCount[] =>
  items.flatMap(({ saga, revisions }) => revisions.map(({ revision, running: count }) => ({ saga, revision, count })))

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message : message
}

const unavailable = (problem: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_VIEW_UNAVAILABLE',
    `the read model cannot be asked what runs: ${problem}; expected a process with the role 'view'`,
    { retryable: true, cause }
  )
