import { Environment } from '@marcbachmann/cel-js'
import { charge, newBudget, onBudget, type Scope } from '../definition/index.ts'
import { type Binding } from './checking.ts'
import * as text from './text.ts'
import * as values from './values.ts'

type Program = {
  /** The expression as CEL. */
  readonly text: string
  readonly bindings: ReadonlyMap<string, Binding>
  /** What one run costs, but for loops and what functions look at. */
  readonly operations: number
  /** Of the value, for the codec. */
  readonly convert: (value: unknown) => unknown
}

/** An expression with its variables; each run reads from the scope what the expression names, and nothing else. */
export const prepare = ({ text: source, bindings, operations, convert }: Program): ((scope: Scope) => unknown) => {
  const variables = [...bindings.values()]
  const environment = host.clone()
  for (const { name, celType } of variables) environment.registerVariable(name, celType)
  const program = environment.parse(source)
  program.check()
  return (scope) =>
    onBudget(scope.budget ?? newBudget(), () => {
      charge(operations)
      const context: Record<string, unknown> = {}
      for (const { name, read } of variables) context[name] = read(scope)
      return convert(program(context))
    })
}

/** Loops are bounded by their lists; what each of their runs costs is known when the expression is loaded. */
const over = (list: readonly unknown[], operations: bigint): readonly unknown[] => {
  charge(list.length * Number(operations))
  return list
}

type Handler = (...args: never[]) => unknown

/**
 * Whatever in the library means something of JavaScript's own, or could make large values or take long unseen, is
 * replaced.
 */
const functions: Readonly<Record<string, Handler>> = {
  'over(list<V>, int): list<V>': over,
  'concatLists(dyn, dyn): dyn': (a: readonly unknown[], b: readonly unknown[]) => text.boundedList([...a, ...b]),
  'toMap(list<string>, list): dyn': values.toMap,
  'isPresent(dyn, list<string>): bool': values.isPresent,
  'areEqual(dyn, dyn): bool': values.areEqual,
  'isIn(dyn, dyn): bool': values.isIn,
  'itemAt(list<V>, int): V': values.itemAt,
  'memberAt(dyn, string): dyn': values.memberAt,
  'add(int, int): int': values.add,
  'subtract(int, int): int': values.subtract,
  'multiply(int, int): int': values.multiply,
  'divide(int, int): int': values.divide,
  'modulo(int, int): int': values.modulo,
  'negate(int): int': values.negate,
  'textSize(string): int': text.textSize,
  'textEquals(string, string): bool': text.textEquals,
  'isBefore(string, string): bool': text.isBefore,
  'concat(string, string): string': text.concat,
  'contains(string, string): bool': text.contains,
  'startsWith(string, string): bool': text.startsWith,
  'endsWith(string, string): bool': text.endsWith,
  'lowerAscii(string): string': text.lowerAscii,
  'upperAscii(string): string': text.upperAscii,
  'trim(string): string': text.trim,
  'indexOf(string, string): int': text.indexOf,
  'indexOf(string, string, int): int': text.indexFrom,
  'lastIndexOf(string, string): int': text.lastIndexOf,
  'lastIndexOf(string, string, int): int': text.lastIndexFrom,
  'substring(string, int): string': text.substring,
  'substring(string, int, int): string': text.substringTo,
  'split(string, string): list<string>': text.split,
  'split(string, string, int): list<string>': text.splitTo,
  'join(dyn): string': (list: readonly string[]) => text.join(list, ''),
  'join(dyn, string): string': text.join,
  'textToInt(string): int': text.textToInt,
  'doubleToInt(double): int': text.doubleToInt,
  'textToDouble(string): double': text.textToDouble
}

/** What is written here is longer and deeper than what a user may write, by as much as it is told of. */
const host = Object.entries(functions).reduce(
  (environment, [signature, handler]) => environment.registerFunction(signature, handler, { async: false }),
  new Environment({ homogeneousAggregateLiterals: false, limits: { maxDepth: 2000 } })
)
