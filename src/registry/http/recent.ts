import { type Clock } from '../../base/index.ts'
import { type Subjects, type Version } from './subjects.ts'

export type RecentSubjects = Subjects & {
  /** What it has been told of the subject's latest version is not true any more. */
  forget(subject: string): void
}

/** Longer than a start takes to register what it has; others may register in between, who are seen later then. */
const recentMs = 10_000

/** The same subjects, of which the latest version is asked once in ten seconds, unless a version is added. */
export const withRecentLatest = (subjects: Subjects, clock: Clock): RecentSubjects => {
  const recent = new Map<string, { readonly at: number; readonly latest: Promise<Version | undefined> }>()
  const forget = (subject: string): void => void recent.delete(subject)
  const latest = (subject: string): Promise<Version | undefined> => {
    const known = recent.get(subject)
    if (known !== undefined && clock.now() - known.at < recentMs) return known.latest
    const asked = subjects.latest(subject)
    recent.set(subject, { at: clock.now(), latest: asked })
    asked.catch(() => forget(subject))
    return asked
  }
  return {
    ...subjects,
    latest,
    forget,
    add: async (subject, schema) => {
      const before = await latest(subject)
      const answer = await subjects.add(subject, schema)
      if (!('id' in answer)) return answer
      const added = { id: answer.id, version: (before?.version ?? 0) + 1, schema }
      recent.set(subject, { at: clock.now(), latest: Promise.resolve(added) })
      return answer
    }
  }
}
