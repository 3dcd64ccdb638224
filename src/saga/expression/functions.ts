import { type ASTNode } from '@marcbachmann/cel-js'
import { didYouMean } from '../../base/index.ts'
import { type Checked, type Checking, invalid, sourceOf, unknown } from './checking.ts'
import { loopNames } from './operations.ts'
import { mayBeNull } from './operators.ts'
import {
  booleanType,
  doubleType,
  intType,
  isFraction,
  isInteger,
  isNullable,
  isText,
  longType,
  showType,
  stringType,
  type Type
} from './types.ts'

type Test = (type: Type) => boolean

/** `takes` has the receiver first where there is one; a function may have several forms. */
type Form = {
  readonly takes: readonly Test[]
  readonly gives: Type
  /** The evaluator's own function for it (`evaluator.ts`), where that is not the library's of this name. */
  readonly own?: string
}

const isWhole: Test = isInteger
const isTexts: Test = (type) => type.kind === 'array' && (type.items.kind === 'nothing' || isText(type.items))
const hasMembers: Test = (type) => type.kind === 'array' || type.kind === 'map'
const isPrintable: Test = (type) => isText(type) || isWhole(type) || isFraction(type) || type.kind === 'boolean'
const listOfTexts: Type = { kind: 'array', items: stringType }

const size: readonly Form[] = [
  { takes: [isText], gives: intType, own: 'textSize' },
  { takes: [hasMembers], gives: intType }
]

const functions: Readonly<Record<string, readonly Form[]>> = {
  size,
  string: [{ takes: [isPrintable], gives: stringType }],
  int: [
    { takes: [isWhole], gives: longType },
    { takes: [isFraction], gives: longType, own: 'doubleToInt' },
    { takes: [isText], gives: longType, own: 'textToInt' }
  ],
  double: [
    { takes: [(type) => isWhole(type) || isFraction(type)], gives: doubleType },
    { takes: [isText], gives: doubleType, own: 'textToDouble' }
  ]
}

const methods: Readonly<Record<string, readonly Form[]>> = {
  size,
  contains: [{ takes: [isText, isText], gives: booleanType }],
  startsWith: [{ takes: [isText, isText], gives: booleanType }],
  endsWith: [{ takes: [isText, isText], gives: booleanType }],
  lowerAscii: [{ takes: [isText], gives: stringType }],
  upperAscii: [{ takes: [isText], gives: stringType }],
  trim: [{ takes: [isText], gives: stringType }],
  indexOf: [
    { takes: [isText, isText], gives: intType },
    { takes: [isText, isText, isWhole], gives: intType }
  ],
  lastIndexOf: [
    { takes: [isText, isText], gives: intType },
    { takes: [isText, isText, isWhole], gives: intType }
  ],
  substring: [
    { takes: [isText, isWhole], gives: stringType },
    { takes: [isText, isWhole, isWhole], gives: stringType }
  ],
  split: [
    { takes: [isText, isText], gives: listOfTexts },
    { takes: [isText, isText, isWhole], gives: listOfTexts }
  ],
  join: [
    { takes: [isTexts], gives: stringType },
    { takes: [isTexts, isText], gives: stringType }
  ]
}

/** What CEL has, but a saga does not. */
const refused: Readonly<Record<string, string>> = {
  matches:
    "'matches' is left out, because nothing bounds the time that a pattern takes; use contains, startsWith or endsWith",
  timestamp: "'timestamp' is left out; a time is a number of milliseconds in contracts, so compare numbers",
  duration: "'duration' is left out; a time is a number of milliseconds in contracts, so compare numbers",
  dyn: "'dyn' is left out, because every type is known when a saga is loaded",
  type: "'type' is left out, because every type is known when a saga is loaded"
}

/** `size(x)`. */
export const checkCall = (checking: Checking, node: ASTNode & { op: 'call' }): Checked => {
  const [name, argumentNodes] = node.args
  const args = visitAll(checking, argumentNodes)
  const forms = lookUp(checking, node, { name, known: functions, kind: 'function' })
  if (args === undefined || forms === undefined) return unknown
  return apply(checking, node, { name, forms, args, emit: callOf(name) })
}

/** `x.startsWith('a')`. */
export const checkMethod = (checking: Checking, node: ASTNode & { op: 'rcall' }): Checked => {
  const [name, receiver, argumentNodes] = node.args
  const args = visitAll(checking, [receiver, ...argumentNodes])
  const forms = lookUp(checking, node, { name, known: methods, kind: 'method' })
  if (args === undefined || forms === undefined) return unknown
  return apply(checking, node, { name, forms, args, emit: callOf(name) })
}

/** All methods are functions to the evaluator. */
const callOf =
  (name: string) =>
  (texts: readonly string[], { own = name }: Form): string =>
    `${own}(${texts.join(', ')})`

type LookUp = {
  readonly name: string
  readonly known: Readonly<Record<string, readonly Form[]>>
  readonly kind: string
}

const lookUp = (checking: Checking, node: ASTNode, { name, known, kind }: LookUp): readonly Form[] | undefined => {
  if (Object.hasOwn(known, name)) return known[name]
  const names = [...Object.keys(known), ...(kind === 'function' ? ['has'] : loopNames)]
  const text = `unknown ${kind} '${name}'${didYouMean(name, names) || `; there are ${names.join(', ')}`}`
  invalid(checking, node, Object.hasOwn(refused, name) ? refused[name]! : text)
  return undefined
}

const visitAll = (checking: Checking, nodes: readonly ASTNode[]): readonly Checked[] | undefined => {
  const all = nodes.map((node) => {
    const checked = checking.visit(node)
    return isNullable(checked.type) ? mayBeNull(checking, node) : checked
  })
  return all.some((each) => each.type.kind === 'unknown') ? undefined : all
}

type Application = {
  readonly name: string
  readonly forms: readonly Form[]
  readonly args: readonly Checked[]
  readonly emit: (texts: readonly string[], form: Form) => string
}

const apply = (checking: Checking, node: ASTNode, { name, forms, args, emit }: Application): Checked => {
  const form = forms.find(({ takes }) => takes.length === args.length && takes.every((test, i) => test(args[i]!.type)))
  if (form !== undefined)
    return {
      type: form.gives,
      emit: () =>
        emit(
          args.map((arg) => arg.emit()),
          form
        )
    }
  const given = args.map((arg) => showType(arg.type)).join(', ')
  return invalid(
    checking,
    node,
    `'${sourceOf(node)}' cannot be computed; '${name}' does not take ${given === '' ? 'nothing' : given}`
  )
}
