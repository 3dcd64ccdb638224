import { isParcomoloError } from '../base/index.ts'
import type { Contracts } from '../contract/index.ts'
import { loadSaga } from '../saga/index.ts'
import { type SagaResource, sagaNames } from './crd/index.ts'
import { explain, findingCodes } from './explain.ts'
import { sourceOf, yamlOf } from './resource-yaml.ts'

/** What a resource means, against the contracts of a moment. */
export type Verdict =
  | {
      readonly isGood: true
      readonly revision: string
      readonly stepCount: number
      readonly yaml: string
      readonly source: string
      /** What is allowed but hardly meant. */
      readonly warnings: readonly string[]
    }
  | {
      readonly isGood: false
      readonly message: string
      /** A participant that comes later may mend it. */
      readonly mayResolve: boolean
    }

export const judgeSaga = (resource: SagaResource, contracts: Contracts): Verdict => {
  const { name, namespace } = resource.metadata
  const source = sourceOf(sagaNames.plural, namespace, name)
  const yaml = yamlOf(resource)
  try {
    const { revision, steps, warnings } = loadSaga({ path: source, text: yaml }, contracts)
    const said = warnings.map(({ path, message }) => `spec.${path}: ${message}`)
    return { isGood: true, revision, stepCount: steps.length, yaml, source, warnings: said }
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) throw error
    return {
      isGood: false,
      message: explain(error),
      mayResolve: findingCodes(error).has('PARCOMOLO_SAGA_UNKNOWN_NAME')
    }
  }
}

type Known = {
  readonly generation: number
  readonly uid: string
  readonly contracts: Contracts
  readonly verdict: Verdict
}

/** Judges each spec once for the same contracts, however often it is looked at. */
export class Verdicts {
  readonly #known = new Map<string, Known>()

  of(resource: SagaResource, contracts: Contracts): Verdict {
    const { name, uid, generation } = resource.metadata
    const known = this.#known.get(name)
    if (known?.uid === uid && known.generation === generation && known.contracts === contracts) return known.verdict
    const verdict = judgeSaga(resource, contracts)
    this.#known.set(name, { uid, generation, contracts, verdict })
    return verdict
  }

  forget(name: string): void {
    this.#known.delete(name)
  }
}
