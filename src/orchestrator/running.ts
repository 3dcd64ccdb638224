import type { Census, CensusGroup } from '../task/index.ts'
import type { Definitions } from './definitions.ts'
import type { Tracked } from './tracked.ts'

/** Tells the definitions on which revisions the instances of one task run; they are forgotten with it. */
export const censusOf = (definitions: Pick<Definitions, 'runs'>): Census<Tracked> => {
  const groups = new Map<string, Map<string, OfRevision>>()
  return {
    groupOf: ({ instance }) => {
      if (instance === undefined) return nobody
      const { saga, revision } = instance
      let ofSaga = groups.get(saga)
      if (ofSaga === undefined) groups.set(saga, (ofSaga = new Map()))
      let group = ofSaga.get(revision)
      if (group === undefined) ofSaga.set(revision, (group = new OfRevision(definitions, saga, revision)))
      return group
    },
    close: () => {
      for (const ofSaga of groups.values()) for (const group of ofSaga.values()) group.close()
      groups.clear()
    }
  }
}

class OfRevision implements CensusGroup {
  readonly #definitions: Pick<Definitions, 'runs'>
  readonly #saga: string
  readonly #revision: string
  #alive = 0

  constructor(definitions: Pick<Definitions, 'runs'>, saga: string, revision: string) {
    this.#definitions = definitions
    this.#saga = saga
    this.#revision = revision
  }

  add(count: 1 | -1): void {
    this.#alive += count
    this.#definitions.runs(this.#saga, this.#revision, count)
  }

  close(): void {
    if (this.#alive > 0) this.#definitions.runs(this.#saga, this.#revision, -this.#alive)
  }
}

const nobody: CensusGroup = { add: () => undefined }
