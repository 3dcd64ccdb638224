import type { Census } from '../task/index.ts'
import type { Definitions } from './definitions.ts'
import type { Tracked } from './tracked.ts'

/** Tells the definitions on which revisions the instances of one task run; they are forgotten with it. */
export const censusOf = (definitions: Pick<Definitions, 'runs'>): Census<Tracked> => {
  const alive = new Map<string, Map<string, number>>()
  const count = ({ instance }: Tracked, by: 1 | -1): void => {
    if (instance === undefined) return
    const { saga, revision } = instance
    const ofSaga = alive.get(saga) ?? new Map<string, number>()
    alive.set(saga, ofSaga)
    ofSaga.set(revision, (ofSaga.get(revision) ?? 0) + by)
    definitions.runs(saga, revision, by)
  }
  return {
    begins: (tracked) => count(tracked, 1),
    ends: (tracked) => count(tracked, -1),
    close: () => {
      for (const [saga, ofSaga] of alive) for (const [revision, left] of ofSaga) definitions.runs(saga, revision, -left)
      alive.clear()
    }
  }
}
