import { limits } from './limits.ts'

/** A problem at an offset of the text that was read. */
export type TextProblem = { readonly at: number; readonly text: string }

/** Thrown inside the reader of IDL only: after a syntax error nothing that follows can be trusted. */
export class IdlSyntaxError extends Error {
  readonly at: number

  constructor(at: number, text: string) {
    super(text)
    this.at = at
  }
}

export type Token = {
  readonly kind: 'name' | 'sign' | 'string' | 'number' | 'end'
  readonly text: string
  readonly at: number
}

export type Tokens = {
  /** The next token, which stays. */
  peek(): Token
  /** The next token, which goes. */
  next(): Token
  /** Takes the next token where it is this word or sign. */
  accept(text: string): boolean
  /** Takes it, or says what was expected, and where: `after field 'sku'`. */
  expect(text: string, where: string): Token
  /** Takes a name: a word with letters, digits, `_`, and dots. */
  name(what: string): Token
  /** Takes a JSON value. */
  json(what: string): { readonly value: unknown; readonly at: number }
  /** The doc comment that ends before the next token, if there is one. */
  doc(): string | undefined
}

const pattern = {
  // In backticks a word is a name also where it means something: @avro.java.`string`("String").
  name: /(?:[A-Za-z_]\w*|`[A-Za-z_][\w.]*`)(?:\.(?:[A-Za-z_]\w*|`[A-Za-z_][\w.]*`))*/y,
  number: /-?[0-9]+/y,
  string: /"(?:[^"\\\n]|\\.)*"/y,
  blank: /(?:\s|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y,
  plainJson: /-?[0-9][0-9.eE+-]*|true|false|null/y
}

export const tooDeep = (what: string): string =>
  `${what} stand in each other more than ${limits.nestingMax} deep; expected at most that (nestingMax)`

/** Splits Avro IDL into tokens, one ahead. */
export const tokensOf = (text: string): Tokens => {
  let token = tokenFrom(text, 0)
  let docText = token.doc
  const advance = (from: number): void => {
    token = tokenFrom(text, from)
    docText = token.doc
  }
  const next = (): Token => {
    const taken = token
    advance(taken.end)
    return taken
  }
  const fail = (expected: string): never => {
    throw new IdlSyntaxError(token.at, `expected ${expected}, found ${shown(token)}`)
  }
  return {
    peek: () => token,
    next,
    accept: (sign) => token.kind !== 'string' && token.text === sign && next() !== undefined,
    expect: (sign, where) => (token.kind !== 'string' && token.text === sign ? next() : fail(`'${sign}' ${where}`)),
    name: (what) => {
      if (token.kind !== 'name') return fail(what)
      const taken = next()
      return { ...taken, text: taken.text.replaceAll('`', '') }
    },
    json: (what) => {
      const { at } = token
      const end = endOfJson(text, at)
      try {
        const value: unknown = JSON.parse(text.slice(at, end))
        advance(end)
        return { value, at }
      } catch {
        return fail(`${what} as JSON`)
      }
    },
    doc: () => docText
  }
}

type Placed = Token & { readonly end: number; readonly doc: string | undefined }

const tokenFrom = (text: string, from: number): Placed => {
  const at = from + matchAt(pattern.blank, text, from).length
  const doc = docOf(text.slice(from, at))
  if (text.startsWith('/*', at))
    throw new IdlSyntaxError(at, "expected '*/' at the end of this comment, found the end of the text")
  if (at === text.length) return { kind: 'end', text: '', at, end: at, doc }
  for (const kind of ['name', 'number', 'string'] as const) {
    const found = matchAt(pattern[kind], text, at)
    if (found !== '') return { kind, text: found, at, end: at + found.length, doc }
  }
  if (text[at] === '"')
    throw new IdlSyntaxError(at, "expected '\"' at the end of this string, found the end of the line")
  const sign = String.fromCodePoint(text.codePointAt(at)!)
  return { kind: 'sign', text: sign, at, end: at + sign.length, doc }
}

const matchAt = (regex: RegExp, text: string, at: number): string => {
  regex.lastIndex = at
  return regex.exec(text)?.[0] ?? ''
}

const shown = (token: Token): string => (token.kind === 'end' ? 'the end of the text' : `'${token.text}'`)

/** The text of the last doc comment in a stretch of blanks and comments, without its stars. */
const docOf = (blank: string): string | undefined => {
  const start = blank.lastIndexOf('/**')
  if (start === -1) return undefined
  const end = blank.indexOf('*/', start + 3)
  if (end === -1) return undefined
  const lines = blank
    .slice(start + 3, end)
    .split('\n')
    .map((line, i) => (i === 0 ? line : line.replace(/^\s*\*?/, '')).trim())
  const doc = lines.join('\n').trim()
  return doc === '' ? undefined : doc
}

/** The offset behind the JSON value that begins at `at`: a plain word, a string, or all up to the closing bracket. */
const endOfJson = (text: string, at: number): number => {
  const plain = matchAt(pattern.plainJson, text, at)
  if (plain !== '') return at + plain.length
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const string = matchAt(pattern.string, text, i)
    if (string !== '') i += string.length - 1
    else if (text[i] === '[' || text[i] === '{') {
      if (++depth > limits.nestingMax) throw new IdlSyntaxError(i, tooDeep('lists and objects'))
    } else if (text[i] === ']' || text[i] === '}') depth--
    if (depth === 0) return i + 1
  }
  return text.length
}
