import { type ASTNode, EvaluationError } from '@marcbachmann/cel-js'
import { ParcomoloError } from '../../base/index.ts'
import { type Expression, limitText, sagaLimits } from '../definition/index.ts'
import { type DraftExpression, type Findings } from '../source/index.ts'
import { checkExpression } from './check.ts'
import { type Binding, type Checked, countOf, type ScopeType } from './checking.ts'
import { fromCel, readerOf } from './convert.ts'
import { estimateOf } from './estimate.ts'
import { prepare } from './evaluator.ts'
import { symbolFault } from './operators.ts'
import { operationsIn } from './operations.ts'
import { parseExpression } from './parse.ts'
import { fault, isNullable, type Mismatch, showType, type Type } from './types.ts'

/** What stands for an expression that has been refused; it is never evaluated, since the whole file is refused. */
const refused: Expression = { source: '', evaluate: () => null }

type Use = {
  readonly scope: ScopeType
  readonly findings: Findings
  /** What the value is for; undefined where that is not known, because of another error. */
  readonly expected: Type | undefined
}

/**
 * Checks an expression and makes it ready: a literal becomes a constant, a pure walk reads directly, all else goes
 * through CEL.
 */
export const compileExpression = (draft: DraftExpression, { scope, findings, expected }: Use): Expression => {
  const parsed = parseExpression(draft.text)
  let isSound = true
  const report = (index: number, ...[code, message]: [Parameters<Findings['error']>[1], string]): void => {
    isSound = false
    findings.error({ offset: draft.offsetOf(index), path: draft.path }, code, message)
  }
  if ('fault' in parsed) {
    const { index, message, limit } = parsed.fault
    report(index, limit?.code ?? 'PARCOMOLO_SAGA_EXPRESSION_INVALID', `${message}${commaHint(draft)}`)
    return refused
  }
  const checked = checkExpression(parsed.ast, scope, report)
  const wrong = expected === undefined ? undefined : misfit(checked, expected, draft.text)
  if (wrong !== undefined) report(parsed.ast.start, 'PARCOMOLO_SAGA_TYPE_MISMATCH', wrong)
  if (isSound) checkCost(parsed.ast, draft, findings)
  if (expected === undefined || findings.hasErrors()) return refused
  const target = { where: findings.whereIs(draft), expected, operations: operationsIn(parsed.ast) }
  return { source: draft.text, evaluate: evaluatorOf(checked, draft, target) }
}

const commaHint = ({ endsAtComma, text }: DraftExpression): string =>
  endsAtComma && countOf(text, /[([{]/g) > countOf(text, /[)\]}]/g)
    ? '; inside { } and [ ] YAML ends a value at a comma, so put the expression in quotes'
    : ''

const checkCost = (ast: ASTNode, { offsetOf, path }: DraftExpression, findings: Findings): void => {
  const cost = estimateOf(ast)
  if (cost <= sagaLimits.expressionCost.value) return
  const estimate = Number.isSafeInteger(Math.ceil(cost)) ? `${Math.ceil(cost)}` : cost.toExponential(1)
  const text = `the expression may cost ${estimate} operations; ${limitText(sagaLimits.expressionCost)}`
  const remedy = 'go through fewer lists inside each other, or compute the value where the message is made'
  const place = { offset: offsetOf(ast.start), path }
  findings.errorWhereNew(place, sagaLimits.expressionCost.code, `${text}; ${remedy}`)
}

/**
 * An expression that gives an instance its key. Every command's id has the key in it, so one that is too long would
 * begin an instance whose commands nobody can read.
 */
export const asKey = (expression: Expression, where: string): Expression => ({
  source: expression.source,
  evaluate: (scope) => {
    const key = expression.evaluate(scope) as string
    const { keyChars } = sagaLimits
    if (key.length <= keyChars.value) return key
    throw failure(`${where}: the key has ${key.length} characters; ${limitText(keyChars)}`)
  }
})

/** Why a value does not fit; an enum takes texts that are written out and are its symbols. */
const misfit = (checked: Checked, expected: Type, text: string): string | undefined => {
  const found = fault(checked.type, expected)
  if (found === undefined) return undefined
  const at = found.path === '' ? '' : ` at '${found.path}'`
  const symbol = symbolFault(found.given, found.expected)
  if (symbol !== undefined) return `${symbol}${at}`
  return `the value is ${showType(found.given)}${at}, but ${showType(found.expected)} is expected${remedyFor(found, text)}`
}

const remedyFor = ({ given, expected, path }: Mismatch, text: string): string => {
  const isPrintable = ['int', 'long', 'float', 'double', 'boolean'].includes(given.kind)
  const value = path === '' && text.length < 40 ? text : '…'
  if (expected.kind === 'string' && isPrintable) return `; write string(${value})`
  return isNullable(given) && given.kind === 'union' ? `; guard it: ${value} != null ? ${value} : …` : ''
}

type Target = { readonly where: string; readonly expected: Type; readonly operations: number }

const evaluatorOf = (
  checked: Checked & { readonly bindings: ReadonlyMap<string, Binding> },
  draft: DraftExpression,
  { where, expected, operations }: Target
): Expression['evaluate'] => {
  const { constant, chain } = checked
  if (constant !== undefined) return () => constant.value
  if (chain !== undefined) return walkerOf(chain, where)
  const text = checked.emit()
  const run = prepare({ text, bindings: checked.bindings, operations, convert: fromCel(expected) })
  return (scope) => {
    try {
      return run(scope)
    } catch (error) {
      throw failure(`${where}: the expression '${draft.text}' failed: ${reasonOf(error, checked.bindings)}`, error)
    }
  }
}

const walkerOf = (chain: readonly string[], where: string): Expression['evaluate'] => {
  const read = readerOf(chain)
  return (scope) => {
    const value = read(scope)
    if (value === undefined) throw failure(`${where}: '${chain.join('.')}' has no value`)
    return value
  }
}

const reasonOf = (error: unknown, bindings: ReadonlyMap<string, Binding>): string => {
  const summary = error instanceof EvaluationError ? error.summary : (error as Error).message
  const [, variable] = /^(?:Unknown variable: |Variable ')(v\d+)/.exec(summary) ?? []
  const walk = [...bindings].find(([, { name }]) => name === variable)
  return walk === undefined ? summary : `'${walk[0]}' has no value of the type that its contract gives it`
}

const failure = (message: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_SAGA_EXPRESSION_FAILED', message, { cause })
