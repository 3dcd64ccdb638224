import { type ASTNode, Environment, type ParseError } from '@marcbachmann/cel-js'
import { type Limit, limitText, sagaLimits } from '../definition/index.ts'
import { signDepthOf } from './operations.ts'

/** A fault at a character of the expression. */
export type Fault = { readonly index: number; readonly message: string; readonly limit?: Limit }

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  limits: { maxAstNodes: sagaLimits.expressionNodes.value, maxDepth: sagaLimits.expressionDepth.value }
})

/** The syntax tree of an expression. */
export const parseExpression = (text: string): { readonly ast: ASTNode } | { readonly fault: Fault } => {
  try {
    const { ast } = environment.parse(text)
    // The parser does not count signs, of which any number may stand before a value.
    const isTooDeep = signDepthOf(ast) > sagaLimits.expressionDepth.value
    return isTooDeep ? { fault: tooLarge(ast.start, sagaLimits.expressionDepth) } : { ast }
  } catch (error) {
    return { fault: faultOf(text, error as ParseError) }
  }
}

const faultOf = (text: string, error: ParseError): Fault => {
  const index = error.range!.start
  const limit = limitOf(error)
  return limit === undefined ? { index, message: messageOf(text.slice(index), error) } : tooLarge(index, limit)
}

const tooLarge = (index: number, limit: Limit): Fault => ({
  index,
  message: `the expression is too large; ${limitText(limit)}`,
  limit
})

const limitOf = (error: ParseError): Limit | undefined => {
  if (error.code !== 'limit_exceeded') return undefined
  return error.summary.includes('maxDepth') ? sagaLimits.expressionDepth : sagaLimits.expressionNodes
}

const slips: readonly (readonly [RegExp, string])[] = [
  [/^=(?!=)/, "'=' compares nothing; write '=='"],
  [/^&(?!&)/, "'&' is no operator; write '&&'"],
  [/^\|(?!\|)/, "'|' is no operator; write '||'"]
]

const messageOf = (rest: string, error: ParseError): string => {
  const slip = slips.find(([pattern]) => pattern.test(rest))
  if (slip !== undefined) return slip[1]
  if (rest === '') return 'the expression ends too early; something is missing behind it'
  if (error.code === 'unterminated_string') return 'the text is not closed; its quote is missing at the end'
  if (error.code === 'reserved_identifier') return `'${firstWord(rest)}' is a reserved word of CEL and cannot be a name`
  if (error.code.startsWith('unexpected') || error.code === 'expected_token') {
    return `'${firstWord(rest)}' is not expected here; check the operator or the bracket before it`
  }
  return `${error.summary.charAt(0).toLowerCase()}${error.summary.slice(1)}`
}

const firstWord = (rest: string): string => /^(\w+|[^\w\s]|\s+)/.exec(rest)![0]
