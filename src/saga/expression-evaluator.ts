import { Environment } from '@marcbachmann/cel-js'
import { type Scope } from './definition.ts'
import { type Binding } from './expression-checking.ts'
import { limitText, sagaLimits } from './limits.ts'

/** An expression with its variables; each run reads from the scope what the expression names, and nothing else. */
export const prepare = (text: string, bindings: ReadonlyMap<string, Binding>): ((scope: Scope) => unknown) => {
  const variables = [...bindings.values()]
  const environment = bounded.clone()
  for (const { name, celType } of variables) environment.registerVariable(name, celType)
  const program = environment.parse(text)
  program.check()
  return (scope) => {
    const context: Record<string, unknown> = {}
    for (const { name, read } of variables) context[name] = read(scope)
    return program(context)
  }
}

const boundedList = <T>(list: readonly T[]): readonly T[] => {
  const { listItems } = sagaLimits
  if (list.length > listItems.value) throw new RangeError(`a list has ${list.length} items; ${limitText(listItems)}`)
  return list
}

const boundedJoin = (list: readonly string[], separator: string): string => {
  const { textChars } = sagaLimits
  const count = list.reduce((sum, text) => sum + text.length + separator.length, 0)
  if (count > textChars.value) throw new RangeError(`a text has ${count} characters; ${limitText(textChars)}`)
  return list.join(separator)
}

const boundedSplit = (text: string, separator: string, count: bigint): readonly string[] => {
  const parts = text.split(separator)
  if (count < 0n || parts.length <= count) return boundedList(parts)
  if (count === 0n) return []
  const last = Number(count) - 1
  return boundedList([...parts.slice(0, last), parts.slice(last).join(separator)])
}

/**
 * What makes lists and texts longer than those that came in is replaced by functions that know the limits; loops are
 * bounded by their lists.
 */
const bounded = new Environment({ homogeneousAggregateLiterals: false })
  .registerFunction('boundedConcat(dyn, dyn): dyn', (a, b) => boundedList([...a, ...b]), { async: false })
  .registerFunction('boundedJoin(dyn): string', (list) => boundedJoin(list, ''), { async: false })
  .registerFunction('boundedJoin(dyn, string): string', boundedJoin, { async: false })
  .registerFunction('boundedSplit(string, string): list<string>', (a, b) => boundedSplit(a, b, -1n), { async: false })
  .registerFunction('boundedSplit(string, string, int): list<string>', boundedSplit, { async: false })
