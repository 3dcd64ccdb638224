import { type Document, isScalar, parseDocument, visit, type YAMLError } from 'yaml'
import { withoutStacks } from '../../base/index.ts'
import { limitText, sagaLimits } from '../definition/index.ts'
import { type Findings, oddSpace } from './findings.ts'

export type SourceFile = { readonly path: string; readonly text: string }

/** A broken file may have one for each of its characters. */
const errorsToldMax = 1000

const wholeFile = { offset: 0, path: '' }

/** The YAML document of a file; undefined where the file is no YAML, which is then among the findings. */
export const parseYaml = (file: SourceFile, findings: Findings): Document.Parsed | undefined => {
  const fault = faultOfText(file.text)
  if (fault !== undefined) {
    findings.error(wholeFile, fault.code, fault.message)
    return undefined
  }
  const bracket = bracketTooMany(file.text)
  if (bracket !== -1) {
    const { brackets } = sagaLimits
    const message = `the brackets are nested deeper than can be read; ${limitText(brackets)}; flatten it`
    findings.error({ offset: bracket, path: '' }, brackets.code, message)
    return undefined
  }
  // The reader looks for double keys itself: the parser's way takes a time that grows with the square of the keys.
  const options = { stringKeys: true, uniqueKeys: false, prettyErrors: false }
  const document = withoutStacks(() => parseDocument(file.text, options))
  const errors = [...document.errors, ...document.warnings].slice(0, errorsToldMax)
  const space = oddSpaceBefore(file.text, errors[0])
  if (space !== -1) findings.error({ offset: space, path: '' }, 'PARCOMOLO_SAGA_SYNTAX', noSpace(file.text[space]!))
  for (const error of space === -1 ? worthTelling(errors) : []) {
    const describe = descriptions[error.code] ?? otherwise
    findings.error({ offset: error.pos[0], path: '' }, 'PARCOMOLO_SAGA_SYNTAX', describe(error, file.text))
  }
  if (!findings.hasErrors()) tellOfMergeKeys(file.text, document, findings)
  return findings.hasErrors() ? undefined : document
}

/** How a saga that was read before says that it is cancelled, to compare it with others. */
export const cancelTextIn = (text: string): string =>
  String(parseDocument(text, { stringKeys: true, uniqueKeys: false }).getIn(['spec', 'cancel'], true))

/** The parser takes them for keys like others. */
const tellOfMergeKeys = (text: string, document: Document.Parsed, findings: Findings): void => {
  if (!text.includes('<<')) return
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value !== '<<' || key.type !== 'PLAIN') return
      const message = "merge keys ('<<') are not supported; write the fields out, or alias a whole map"
      findings.error({ offset: key.range![0], path: '' }, 'PARCOMOLO_SAGA_NOT_SUPPORTED', message)
    }
  })
}

/** Where, in the line of an error, a space stands that YAML takes for a letter, so all behind it is wrong; else -1. */
const oddSpaceBefore = (text: string, error: YAMLError | undefined): number => {
  if (error === undefined) return -1
  const [at] = error.pos
  const start = text.lastIndexOf('\n', at - 1) + 1
  const found = text.slice(start, at).search(oddSpace)
  return found === -1 ? -1 : start + found
}

/** What follows a tab is read as something else, and so is wrong as well. */
const worthTelling = (errors: readonly YAMLError[]): readonly YAMLError[] => {
  const tabs = errors.filter(({ code }) => code === 'TAB_AS_INDENT')
  return tabs.length > 0 ? tabs : errors
}

/** Found before the parser goes into them. Those in quotes count too: they are closed where they mean anything. */
const bracketTooMany = (text: string): number => {
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '[' || character === '{') open++
    else if (character === ']' || character === '}') open = Math.max(0, open - 1)
    if (open > sagaLimits.brackets.value) return at
  }
  return -1
}

const faultOfText = (text: string) => {
  const { fileChars } = sagaLimits
  if (text.length > fileChars.value) {
    return {
      code: fileChars.code,
      message: `the file has ${text.length} characters, but ${limitText(fileChars)}; split it into several sagas`
    } as const
  }
  if (text.includes('\u0000')) {
    const message = 'the file holds a zero byte; a saga is a YAML file in UTF-8'
    return { code: 'PARCOMOLO_SAGA_SYNTAX', message } as const
  }
  const isEmpty = text.split('\n').every((line) => /^\uFEFF?\s*(#.*)?$/.test(line))
  if (!isEmpty) return undefined
  return { code: 'PARCOMOLO_SAGA_SYNTAX', message: "the file is empty; a saga begins with 'apiVersion'" } as const
}

type Describe = (error: YAMLError, text: string) => string

const noSpace = (space: string): string => `'${space}' looks like a space, but is none to YAML; write a plain space`

const secondColon: Describe = () => "a second ': ' stands in this value; put an expression that contains ': ' in quotes"

const misplaced: Describe = ({ pos }, text) =>
  `'${text.slice(...pos).split('\n')[0]!}' is not expected here; put an expression that begins with a quote, or contains { or [, in quotes as a whole`

/** What users run into most, in our words. */
const descriptions: Readonly<Partial<Record<YAMLError['code'], Describe>>> = {
  TAB_AS_INDENT: () => 'a tab stands where the line is indented; YAML is indented with spaces only',
  MULTIPLE_DOCS: () => "a second document begins with '---'; a file holds one saga, so move it to a file of its own",
  NON_STRING_KEY: () => 'a key must be a word, not a list, a map or an alias',
  BLOCK_AS_IMPLICIT_KEY: secondColon,
  BLOCK_IN_FLOW: secondColon,
  UNEXPECTED_TOKEN: misplaced,
  MISSING_CHAR: (error, text) =>
    error.message.includes('quote') ? 'the closing quote of a value before this is missing' : misplaced(error, text),
  BAD_SCALAR_START: ({ pos }, text) => `a value cannot begin with '${text[pos[0]]}'; put it in quotes`,
  RESOURCE_EXHAUSTION: () => 'the YAML is nested deeper than can be read; flatten it',
  TAG_RESOLVE_FAILED: ({ pos }, text) => `tags have no meaning in a saga; leave '${wordAt(text, pos[0])}' out`
}

/** The rest is in the parser's words. */
const otherwise: Describe = ({ message }) => `the YAML is broken: ${message.charAt(0).toLowerCase()}${message.slice(1)}`

const wordAt = (text: string, offset: number): string => /^[^\s:,\]}]*/.exec(text.slice(offset, offset + 80))![0]
