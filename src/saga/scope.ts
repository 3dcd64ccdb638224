import { type Definition, type Scope } from './definition.ts'
import { type Instance } from './instance.ts'

/** What expressions see of an instance. Members are made when asked for: most expressions need one of them, and decoding costs. */
export const scopeOf = (definition: Definition, instance: Instance): Scope => ({
  get start() {
    return instance.start.value
  },
  get steps() {
    return replies(definition, instance)
  },
  get failure() {
    return instance.failure ?? undefined
  },
  get saga() {
    return { name: instance.saga, key: instance.key, revision: instance.revision }
  }
})

const replies = (definition: Definition, instance: Instance): NonNullable<Scope['steps']> => {
  const byName: Record<string, Readonly<Record<string, unknown>>> = {}
  for (const [index, reply] of instance.replies.entries()) {
    if (reply !== null) byName[definition.steps[index]!.name] = reply.value
  }
  return byName
}
