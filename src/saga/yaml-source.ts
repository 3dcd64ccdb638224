import { type Document, parseDocument, type YAMLError } from 'yaml'
import { type Findings } from './load-findings.ts'
import { limitText, sagaLimits } from './limits.ts'

export type SourceFile = { readonly path: string; readonly text: string }

const wholeFile = { offset: 0, path: '' }

/** The YAML document of a file; undefined where the file is no YAML, which is then among the findings. */
export const parseYaml = (file: SourceFile, findings: Findings): Document.Parsed | undefined => {
  const fault = faultOfText(file.text)
  if (fault !== undefined) {
    findings.error(wholeFile, fault.code, fault.message)
    return undefined
  }
  const document = parseDocument(file.text, {
    stringKeys: true,
    prettyErrors: false
  })
  for (const error of [...document.errors, ...document.warnings]) {
    findings.error({ offset: error.pos[0], path: '' }, 'PARCOMOLO_SAGA_SYNTAX', syntaxText(error, file.text))
  }
  return findings.hasErrors() ? undefined : document
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

/** What users run into most, in our words; the rest in the parser's. */
const syntaxText = (error: YAMLError, text: string): string => {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab stands where the line is indented; YAML is indented with spaces only'
    case 'DUPLICATE_KEY':
      return `the key '${wordAt(text, error.pos[0])}' stands twice in the same map; keep one of the two`
    case 'MULTIPLE_DOCS':
      return "a second document begins with '---'; a file holds one saga, so move it to a file of its own"
    case 'NON_STRING_KEY':
      return 'a key must be a word, not a list or a map'
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return "a second ': ' stands in this value; put an expression that contains ': ' in quotes"
    case 'MISSING_CHAR':
      if (error.message.includes('quote')) return 'the closing quote of a value before this is missing'
      return misplaced(text, error.pos)
    case 'UNEXPECTED_TOKEN':
      return misplaced(text, error.pos)
    case 'BAD_SCALAR_START':
      return `a value cannot begin with '${text[error.pos[0]]}'; put it in quotes`
    case 'TAG_RESOLVE_FAILED':
      return `tags have no meaning in a saga; leave '${wordAt(text, error.pos[0])}' out`
    default:
      return `the YAML is broken: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`
  }
}

const misplaced = (text: string, pos: readonly [number, number]): string =>
  `'${text.slice(...pos).split('\n')[0]!}' is not expected here; put an expression that begins with a quote, or contains { or [, in quotes as a whole`

const wordAt = (text: string, offset: number): string => /^[^\s:,\]}]*/.exec(text.slice(offset, offset + 80))![0]
