import { type CostBudget, type Definition, type Scope } from '../definition/index.ts'
import { type Instance } from './instance.ts'
import { type Turn } from './turn.ts'

/**
 * What expressions see of an instance. Each member is made when it is asked for: most expressions need one of them, and
 * decoding costs.
 */
export class InstanceScope implements Scope {
  readonly #definition: Definition
  readonly #instance: Instance

  readonly budget: CostBudget

  constructor({ definition, instance, budget }: Turn) {
    this.#definition = definition
    this.#instance = instance
    this.budget = budget
  }

  get start(): Scope['start'] & object {
    return this.#instance.start.value
  }

  get steps(): Scope['steps'] & object {
    const byName: Record<string, Readonly<Record<string, unknown>>> = {}
    for (const [index, reply] of this.#instance.replies.entries()) {
      if (reply !== null) byName[this.#definition.steps[index]!.name] = reply.value
    }
    return byName
  }

  get failure(): Scope['failure'] {
    return this.#instance.failure ?? undefined
  }

  get saga(): Scope['saga'] & object {
    const { saga, key, revision } = this.#instance
    return { name: saga, key, revision }
  }
}
