import { recordOf, type ScopeType, stringType, type Type } from '../expression/index.ts'
import { type DraftStep } from '../source/index.ts'
import { type Presences, type Replies } from './presence.ts'

/** What the expressions of one saga may name, by where they stand. */
export type Scopes = {
  key(event: Type): ScopeType
  /** `with` and `when` of a step. */
  step(step: DraftStep): ScopeType
  undo(step: DraftStep): ScopeType
  complete(): ScopeType
  /** `abort`, and the compensation of the start. */
  abort(): ScopeType
  /** The steps whose replies some expression reads; grows while expressions are checked. */
  readonly read: ReadonlySet<string>
}

export const scopesOf = (start: Type, { forward, backward, completed, aborted }: Presences): Scopes => {
  const read = new Set<string>()
  const ahead = (steps: Replies | undefined): ScopeType => ({
    roots: { start, saga: sagaType },
    steps,
    read,
    absent: { event: onlyInKey, failure: "only compensations and 'abort' have a failure" }
  })
  const back = (steps: Replies | undefined): ScopeType => ({
    roots: { start, saga: sagaType, failure: failureType },
    steps,
    read,
    absent: { event: onlyInKey }
  })
  return {
    key: (event) => ({ roots: { event }, steps: undefined, read, absent: absentInKey }),
    step: (step) => ahead(forward.get(step)),
    undo: (step) => back(backward.get(step)),
    complete: () => ahead(completed),
    abort: () => back(aborted),
    read
  }
}

const sagaType = recordOf('saga', { name: stringType, key: stringType, revision: stringType })

const failureType = recordOf('failure', { type: stringType, step: stringType, message: stringType })

const onlyInKey = "only 'key' reads it; the event that started the saga is 'start'"

const onlyEvent = "a 'key' reads nothing but the event: 'event'"

const absentInKey = { start: onlyEvent, steps: onlyEvent, failure: onlyEvent, saga: onlyEvent }
