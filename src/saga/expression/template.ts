import { didYouMean } from '../../base/index.ts'
import { type Scope, type Template } from '../definition/index.ts'
import { type DraftFields, type DraftItems, type DraftValue, type Findings, keyList } from '../source/index.ts'
import { compileExpression } from './expression.ts'
import { type ScopeType } from './checking.ts'
import { type Field, membersOf, showType, type Type } from './types.ts'

type Evaluate = (scope: Scope) => unknown

type Use = { readonly scope: ScopeType; readonly findings: Findings }

/**
 * The arguments of a command or an event. `expected` is undefined where its name is unknown: then only the expressions
 * themselves are checked.
 */
export const compileTemplate = (draft: DraftFields | undefined, expected: Type | undefined, use: Use): Template => ({
  evaluate: compileValue(draft, expected, use) as Template['evaluate']
})

const compileValue = (draft: DraftValue | undefined, expected: Type | undefined, use: Use): Evaluate => {
  if (draft === undefined) return () => null
  if (draft.kind === 'fields') return compileFields(draft, expected, use)
  if (draft.kind === 'items') return compileItems(draft, expected, use)
  const expression = compileExpression(draft, { ...use, expected })
  return (scope) => expression.evaluate(scope)
}

const compileFields = (draft: DraftFields, expected: Type | undefined, use: Use): Evaluate => {
  const target = memberOf(expected, ['record', 'map'])
  if (expected !== undefined && target === undefined) {
    use.findings.error(
      draft,
      'PARCOMOLO_SAGA_TYPE_MISMATCH',
      `a map stands here, but ${showType(expected)} is expected`
    )
  }
  const typeOf =
    target?.kind === 'record'
      ? checkNames(draft, target, use.findings)
      : () => (target?.kind === 'map' ? target.values : undefined)
  const fields = [...draft.fields].map(([name, field]) => [name, compileValue(field.value, typeOf(name), use)] as const)
  // The one name that cannot be given to an object in the usual way.
  if (draft.fields.has('__proto__'))
    return (scope) => Object.fromEntries(fields.map(([name, evaluate]) => [name, evaluate(scope)]))
  return (scope) => {
    const value: Record<string, unknown> = {}
    for (const [name, evaluate] of fields) value[name] = evaluate(scope)
    return value
  }
}

type RecordTarget = { readonly name: string; readonly fields: readonly Field[] }

/** Every field is known, and none without a default is missing. Gives the type of a field. */
const checkNames = (
  draft: DraftFields,
  record: RecordTarget,
  findings: Findings
): ((name: string) => Type | undefined) => {
  const types = new Map(record.fields.map((field) => [field.name, field.type]))
  for (const [name, { keyOffset, path }] of draft.fields) {
    if (types.has(name)) continue
    const known = [...types.keys()]
    const remedy = didYouMean(name, known) || (known.length === 0 ? '; it has none' : `; it has ${keyList(known)}`)
    findings.error(
      { offset: keyOffset, path },
      'PARCOMOLO_SAGA_UNKNOWN_NAME',
      `${record.name} has no field '${name}'${remedy}`
    )
  }
  const missing = record.fields.filter((field) => !field.hasDefault && !draft.fields.has(field.name))
  if (missing.length > 0) {
    const list = missing.map((field) => `'${field.name}' (${showType(field.type)})`).join(', ')
    findings.error(
      draft,
      'PARCOMOLO_SAGA_MISSING_FIELD',
      `${record.name} needs ${list}; add ${missing.length === 1 ? 'it' : 'them'} to 'with'`
    )
  }
  return (name) => types.get(name)
}

const compileItems = (draft: DraftItems, expected: Type | undefined, use: Use): Evaluate => {
  const target = memberOf(expected, ['array'])
  if (expected !== undefined && target === undefined) {
    use.findings.error(
      draft,
      'PARCOMOLO_SAGA_TYPE_MISMATCH',
      `a list stands here, but ${showType(expected)} is expected`
    )
  }
  const items = draft.items.map((item) => compileValue(item, target?.kind === 'array' ? target.items : undefined, use))
  return (scope) => items.map((evaluate) => evaluate(scope))
}

const memberOf = (type: Type | undefined, kinds: readonly Type['kind'][]): Type | undefined =>
  type && membersOf(type).find((member) => kinds.includes(member.kind))
