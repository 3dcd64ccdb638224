import { type ASTNode } from '@marcbachmann/cel-js'
import { didYouMean } from '../../base/index.ts'
import { type Checked, type Checking, invalid, sourceOf, type StepReply, unknown } from './checking.ts'
import { hasValue, readerOf, toCel, celTypeOf } from './convert.ts'
import { fieldOf, joinPath, pathOf } from './facts.ts'
import { booleanType, isNullable, type Field, showType, type Type, withoutNull } from './types.ts'

/** `start`, `l`: a root of the scope or the variable of a loop. */
export const checkName = (checking: Checking, node: ASTNode & { op: 'id' }): Checked => {
  const name = node.args
  const local = checking.locals.get(name)
  if (local !== undefined) return { type: local, emit: () => localName(name), path: name }
  const root = own(checking.scope.roots, name)
  if (root !== undefined) return chainOf(checking, [name], root)
  if (name === 'steps' && checking.scope.steps !== undefined) {
    return invalid(
      checking,
      node,
      `'steps' alone is no value; name a step and a field, such as ${exampleStep(checking)}`
    )
  }
  checking.report(node.pos, 'PARCOMOLO_SAGA_UNKNOWN_NAME', unknownName(checking, name))
  return unknown
}

const own = <T>(members: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined

/** The name of a loop's variable for the evaluator, apart from those of the bindings. */
export const localName = (name: string): string => `x_${name}`

type FieldNode = ASTNode & { readonly op: '.' | '[]' }

/** `a.b` and `a['b']`. */
export const checkField = (checking: Checking, node: FieldNode, field: string): Checked => {
  const [owner] = node.args
  if (isSteps(checking, owner)) return checkStep(checking, node, field)
  return select(checking, node, { owner: checking.visit(owner), field })
}

/** `has(a.b)`: true where it is there and not null. */
export const checkHas = (checking: Checking, node: ASTNode & { op: 'call' }): Checked => {
  const [argument] = node.args[1]
  const field = argument && node.args[1].length === 1 ? fieldOf(argument) : undefined
  const path = argument && pathOf(argument)
  if (
    argument === undefined ||
    field === undefined ||
    path === undefined ||
    (argument.op !== '.' && argument.op !== '[]')
  ) {
    return invalid(checking, node, "'has' takes one field, such as has(steps.payment) or has(start.voucher)")
  }
  const facts = new Set([...checking.facts, ...prefixesOf(path), path])
  const checked = checking.visit(argument, { facts })
  const { chain } = checked
  if (chain === undefined) {
    const { root, names } = walkOf(argument)
    return { type: booleanType, emit: () => `isPresent(${localName(root)}, ${JSON.stringify(names)})` }
  }
  return {
    type: booleanType,
    emit: () => bind(checking, `has ${chain.join('.')}`, { celType: 'bool', read: hasValue(chain) })
  }
}

/** Of a pure walk: where it begins, and its steps. */
const walkOf = (node: ASTNode): { readonly root: string; readonly names: readonly string[] } => {
  if (node.op === 'id') return { root: node.args, names: [] }
  const { root, names } = walkOf((node as FieldNode).args[0])
  return { root, names: [...names, fieldOf(node)!] }
}

const isSteps = (checking: Checking, node: ASTNode): boolean =>
  node.op === 'id' && node.args === 'steps' && checking.scope.steps !== undefined && !checking.locals.has('steps')

const checkStep = (checking: Checking, node: ASTNode, name: string): Checked => {
  const steps = checking.scope.steps!
  const reply = steps.get(name)
  if (reply === undefined) {
    checking.report(node.pos, 'PARCOMOLO_SAGA_UNKNOWN_NAME', unknownStep(name, [...steps.keys()]))
    return unknown
  }
  const path = joinPath('steps', name)
  if (reply.presence === 'never' || (reply.presence === 'maybe' && !checking.facts.has(path))) {
    checking.report(node.pos, 'PARCOMOLO_SAGA_MAY_NOT_EXIST', absentStep(name, reply))
    return unknown
  }
  checking.scope.read.add(name)
  return chainOf(checking, ['steps', name], reply.type)
}

const absentStep = (name: string, reply: StepReply): string => {
  if (reply.presence === 'never') return `the reply of step '${name}' is never there here, because ${reply.why}`
  return `the reply of step '${name}' may not be there, because ${reply.why}; guard it: has(steps.${name}) ? steps.${name}.… : …`
}

const unknownStep = (name: string, known: readonly string[]): string => {
  const dashed = known.find((step) => step.startsWith(`${name}-`))
  if (dashed !== undefined) return `'steps.${name}-…' is a subtraction in CEL; write steps['${dashed}']`
  return `unknown step '${name}'${didYouMean(name, known) || `; the steps are ${known.join(', ')}`}`
}

const select = (checking: Checking, node: FieldNode, { owner, field }: { owner: Checked; field: string }): Checked => {
  const { type } = owner
  if (type.kind === 'unknown') return unknown
  const text = sourceOf(node.args[0])
  if (isNullable(type)) {
    const message = `'${text}' may be null; guard it: ${text} != null ? ${text}.${field} : …`
    checking.report(node.pos, 'PARCOMOLO_SAGA_MAY_NOT_EXIST', message)
    return unknown
  }
  if (type.kind === 'record') {
    const found = type.fields.find((each) => each.name === field)
    if (found !== undefined) return walk(checking, { owner, field, type: found.type })
    checking.report(node.pos, 'PARCOMOLO_SAGA_UNKNOWN_NAME', unknownField({ text, field }, type))
    return unknown
  }
  if (type.kind === 'map') return selectKey(checking, node, { owner, field, type: type.values })
  return invalid(checking, node, `'${text}' is ${showType(type)}, which has no field '${field}'`)
}

type Step = { readonly owner: Checked; readonly field: string; readonly type: Type }

const selectKey = (checking: Checking, node: ASTNode, step: Step): Checked => {
  const path = step.owner.path === undefined ? undefined : joinPath(step.owner.path, step.field)
  if (path !== undefined && checking.facts.has(path)) return walk(checking, step)
  const text = sourceOf(node)
  checking.report(
    node.pos,
    'PARCOMOLO_SAGA_MAY_NOT_EXIST',
    `the map may have no '${step.field}'; guard it: has(${text}) ? ${text} : …`
  )
  return unknown
}

const walk = (checking: Checking, { owner, field, type }: Step): Checked => {
  if (owner.chain !== undefined) return chainOf(checking, [...owner.chain, field], type)
  const emit = (): string => `${owner.emit()}[${JSON.stringify(field)}]`
  if (owner.path === undefined) return { type, emit }
  const path = joinPath(owner.path, field)
  return { type: checking.facts.has(path) ? withoutNull(type) : type, emit, path }
}

const chainOf = (checking: Checking, chain: readonly string[], full: Type): Checked => {
  const path = chain.join('.')
  const type = checking.facts.has(path) ? withoutNull(full) : full
  const emit = (): string => {
    const read = readerOf(chain)
    const convert = toCel(full)
    return bind(checking, path, { celType: celTypeOf(full), read: (scope) => convert(read(scope)) })
  }
  return { type, emit, chain, path }
}

const bind = (
  checking: Checking,
  key: string,
  binding: { celType: string; read: (scope: object) => unknown }
): string => {
  const name = checking.bindings.get(key)?.name ?? `v${checking.bindings.size}`
  if (!checking.bindings.has(key)) checking.bindings.set(key, { name, ...binding })
  return name
}

const prefixesOf = (path: string): string[] => {
  const names = path.split('.')
  return names.map((_, i) => names.slice(0, i).join('.')).slice(1)
}

const unknownName = (checking: Checking, name: string): string => {
  const { roots, steps, absent } = checking.scope
  const reason = own(absent, name)
  if (reason !== undefined) return `'${name}' is not known here: ${reason}`
  const known = [...Object.keys(roots), ...(steps === undefined ? [] : ['steps']), ...checking.locals.keys()]
  const remedy =
    didYouMean(name, known) || `; known here: ${known.join(', ')}; a text needs quotes of its own: "'${name}'"`
  return `unknown name '${name}'${remedy}`
}

const unknownField = (
  { text, field }: { text: string; field: string },
  type: { name: string; fields: readonly Field[] }
): string => {
  const names = type.fields.map((each) => each.name)
  const remedy =
    didYouMean(field, names) || (names.length === 0 ? '; it has no fields' : `; it has ${names.join(', ')}`)
  const kind = type.name === text ? '' : ` (${type.name})`
  return `'${text}'${kind} has no field '${field}'${remedy}`
}

const exampleStep = (checking: Checking): string => `steps.${[...checking.scope.steps!.keys()][0] ?? 'payment'}.…`
