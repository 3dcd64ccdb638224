import { IdlSyntaxError, type Token, type Tokens, tokensOf, tooDeep } from './idl-tokens.ts'
import { limits } from './limits.ts'

/** Attributes that annotations give, such as `aliases`. */
export type Attributes = Readonly<Record<string, unknown>>
export type IdlName = { readonly text: string; readonly at: number }

export type IdlType =
  | { readonly kind: 'name'; readonly name: string; readonly at: number; readonly attributes: Attributes }
  | { readonly kind: 'array'; readonly of: IdlType; readonly at: number; readonly attributes: Attributes }
  | { readonly kind: 'map'; readonly of: IdlType; readonly at: number; readonly attributes: Attributes }
  | {
      readonly kind: 'union'
      readonly of: readonly IdlType[]
      readonly at: number
      /** Written as `string?`. */
      readonly isOptional?: boolean
    }

export type IdlField = {
  readonly name: IdlName
  readonly type: IdlType
  readonly doc: string | undefined
  readonly attributes: Attributes
  /** Where its `@key` stands: it names the entity that the record is about. */
  readonly keyAt: number | undefined
  readonly default: { readonly value: unknown; readonly at: number } | undefined
}

export type IdlRecord = {
  readonly kind: 'record' | 'error'
  readonly name: IdlName
  readonly doc: string | undefined
  readonly attributes: Attributes
  readonly fields: readonly IdlField[]
}

export type IdlEnum = {
  readonly kind: 'enum'
  readonly name: IdlName
  readonly doc: string | undefined
  readonly attributes: Attributes
  readonly symbols: readonly IdlName[]
  readonly default: IdlName | undefined
}

export type IdlMessage = {
  readonly name: IdlName
  readonly response: IdlType
  readonly parameters: readonly IdlField[]
  readonly throws: readonly IdlName[]
  readonly oneway: boolean
}

export type IdlProtocol = {
  readonly name: IdlName
  readonly attributes: Attributes
  readonly types: readonly (IdlRecord | IdlEnum)[]
  readonly messages: readonly IdlMessage[]
}

/**
 * Reads an Avro protocol from IDL, every name with its place (avsc reads IDL too, but keeps no places, so nothing that
 * is wrong behind the syntax could be pointed at).
 * Left out of the language: `import`, `fixed`, `decimal`, and named types declared inside a field. Throws
 * IdlSyntaxError.
 */
export const parseIdl = (text: string): IdlProtocol => {
  const tokens = tokensOf(text)
  const attributes = readAttributes(tokens)
  tokens.expect('protocol', 'at the beginning')
  const name = tokens.name("the protocol's name")
  tokens.expect('{', `after protocol '${name.text}'`)
  const types: (IdlRecord | IdlEnum)[] = []
  const messages: IdlMessage[] = []
  while (!tokens.accept('}')) {
    const declared = readDeclaration(tokens, name.text)
    if ('kind' in declared) types.push(declared)
    else messages.push(declared)
    // At once, before more of it is read.
    if (types.length > limits.typesMax) throw tooMany(declared.name, 'types', 'typesMax')
    if (messages.length > limits.messagesMax) throw tooMany(declared.name, 'messages', 'messagesMax')
  }
  if (tokens.peek().kind !== 'end') {
    throw new IdlSyntaxError(tokens.peek().at, `expected nothing after the protocol, found '${tokens.peek().text}'`)
  }
  return { name, attributes, types, messages }
}

const tooMany = ({ at }: IdlName, what: string, limit: 'typesMax' | 'messagesMax'): IdlSyntaxError =>
  new IdlSyntaxError(at, `the protocol has more than ${limits[limit]} ${what}; expected at most that (${limit})`)

const readDeclaration = (tokens: Tokens, protocol: string): IdlRecord | IdlEnum | IdlMessage => {
  const doc = tokens.doc()
  const attributes = readAttributes(tokens)
  const word = tokens.peek()
  switch (word.text) {
    case 'record':
    case 'error':
      return readRecord(tokens, { kind: word.text, doc, attributes })
    case 'enum':
      return readEnum(tokens, doc, attributes)
    case 'import':
    case 'fixed':
      throw new IdlSyntaxError(word.at, `'${word.text}' is not supported${word.text === 'fixed' ? '; use bytes' : ''}`)
    default:
      if (word.kind === 'end') tokens.expect('}', `at the end of protocol '${protocol}'`)
      return readMessage(tokens)
  }
}

/** `onKey` is told where a `@key` stands; without it none may. */
const readAttributes = (tokens: Tokens, onKey: (at: number) => void = refuseKey): Attributes => {
  const attributes: Record<string, unknown> = {}
  for (let { at } = tokens.peek(); tokens.accept('@'); { at } = tokens.peek()) {
    let name = tokens.name("an annotation's name").text
    while (tokens.accept('-')) name += `-${tokens.name("the rest of the annotation's name").text}`
    if (name === 'key') {
      onKey(at)
      if (tokens.peek().text === '(') throw new IdlSyntaxError(tokens.peek().at, "'@key' takes no value; expected none")
      continue
    }
    tokens.expect('(', `after '@${name}'`)
    attributes[name] = tokens.json(`the value of '@${name}'`).value
    tokens.expect(')', `after the value of '@${name}'`)
  }
  return attributes
}

const refuseKey = (at: number): void => {
  throw new IdlSyntaxError(at, "'@key' cannot stand here; expected it in front of a field of a record")
}

const readRecord = (tokens: Tokens, head: Pick<IdlRecord, 'kind' | 'doc' | 'attributes'>): IdlRecord => {
  tokens.next()
  const name = tokens.name(`the ${head.kind}'s name`)
  tokens.expect('{', `after ${head.kind} '${name.text}'`)
  const fields: IdlField[] = []
  while (!tokens.accept('}')) {
    const field = readField(tokens, true)
    fields.push(field)
    tokens.expect(';', `after field '${field.name.text}'`)
  }
  tokens.accept(';')
  return { ...head, name, fields }
}

const readEnum = (tokens: Tokens, doc: string | undefined, attributes: Attributes): IdlEnum => {
  tokens.next()
  const name = tokens.name("the enum's name")
  tokens.expect('{', `after enum '${name.text}'`)
  const symbols = readList(tokens, '}', () => tokens.name("a symbol's name"))
  const standard = tokens.accept('=') ? tokens.name('the default symbol') : undefined
  if (standard !== undefined) tokens.expect(';', "after the enum's default")
  tokens.accept(';')
  return { kind: 'enum', name, doc, attributes, symbols, default: standard }
}

/** Of a record it may be the key; a message's parameter may not. */
const readField = (tokens: Tokens, mayBeKey: boolean): IdlField => {
  let keyAt: number | undefined
  const onKey = mayBeKey ? (at: number) => void (keyAt ??= at) : refuseKey
  const docBefore = tokens.doc()
  const type = readType(tokens, 1, readAttributes(tokens, onKey))
  const doc = tokens.doc() ?? docBefore
  const attributes = readAttributes(tokens, onKey)
  const name = tokens.name("the field's name")
  const value = tokens.accept('=') ? tokens.json(`the default of field '${name.text}'`) : undefined
  return { name, type: defaultFirst(type, value?.value), doc, attributes, keyAt, default: value }
}

/** Of `string? name = "x"` the default is of the second type; in a union the one with the default comes first. */
const defaultFirst = (type: IdlType, value: unknown): IdlType =>
  type.kind === 'union' && type.isOptional === true && value !== undefined && value !== null
    ? { ...type, of: type.of.toReversed() }
    : type

const readType = (tokens: Tokens, depth = 1, attributes = readAttributes(tokens)): IdlType => {
  const type = readPlainType(tokens, depth, attributes)
  const { at } = tokens.peek()
  if (!tokens.accept('?')) return type
  return {
    kind: 'union',
    of: [{ kind: 'name', name: 'null', at, attributes: {} }, type],
    at: type.at,
    isOptional: true
  }
}

const readPlainType = (tokens: Tokens, depth: number, attributes: Attributes): IdlType => {
  const word = tokens.name('a type')
  if (depth > limits.nestingMax) throw new IdlSyntaxError(word.at, tooDeep('types'))
  if (word.text === 'union') return readUnion(tokens, word, attributes, depth)
  if (word.text === 'array' || word.text === 'map') {
    tokens.expect('<', `after '${word.text}'`)
    const of = readType(tokens, depth + 1)
    tokens.expect('>', `after the type of the ${word.text}`)
    return { kind: word.text, of, at: word.at, attributes }
  }
  if (word.text === 'decimal') throw new IdlSyntaxError(word.at, noDecimal)
  if (['record', 'error', 'enum', 'fixed'].includes(word.text)) {
    throw new IdlSyntaxError(
      word.at,
      `'${word.text}' cannot be declared here; declare it beside the other types, and use its name`
    )
  }
  return { kind: 'name', name: word.text, at: word.at, attributes }
}

const noDecimal =
  "'decimal' is not supported, as numbers here are those of JavaScript; use long in cents, " +
  'or bytes with @logicalType("decimal"), which expressions only pass on'

const readUnion = (tokens: Tokens, word: Token, attributes: Attributes, depth: number): IdlType => {
  if (Object.keys(attributes).length > 0) throw new IdlSyntaxError(word.at, 'a union takes no annotations')
  tokens.expect('{', "after 'union'")
  return { kind: 'union', of: readList(tokens, '}', () => readType(tokens, depth + 1)), at: word.at }
}

const readMessage = (tokens: Tokens): IdlMessage => {
  const response = readType(tokens)
  const name = tokens.name("a message's name")
  tokens.expect('(', `after message '${name.text}'`)
  const parameters = tokens.accept(')') ? [] : readList(tokens, ')', () => readField(tokens, false))
  const throws = tokens.accept('throws') ? readErrors(tokens) : []
  const oneway = tokens.accept('oneway')
  tokens.expect(';', `after message '${name.text}'`)
  return { name, response, parameters, throws, oneway }
}

const readErrors = (tokens: Tokens): IdlName[] => {
  const errors = [tokens.name("an error's name")]
  while (tokens.accept(',')) errors.push(tokens.name("an error's name"))
  return errors
}

/** One or more items between commas, up to the closing sign, which is taken. */
const readList = <T>(tokens: Tokens, close: string, readItem: () => T): T[] => {
  const items = [readItem()]
  while (tokens.accept(',')) items.push(readItem())
  tokens.expect(close, "or ',' after an item")
  return items
}
