import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, Scalar } from 'yaml'
import { didYouMean, type ErrorCode, ParcomoloError, withoutStacks } from '../base/index.ts'
import { limits } from './limits.ts'

export type SourceFile = { readonly path: string; readonly text: string }

/** A YAML file that is being read: what is wrong with it is gathered, so that one look shows all of it. */
export type YamlFile = {
  readonly root: Node | null
  /** Reports a problem at a node or an offset. `path` is the field's: `spec.inbox`. */
  report(at: Node | number, path: string, text: string): void
  /**
   * The fields of a mapping, by name; reports a node that is none, unknown fields, and required ones that are not
   * there.
   */
  fields(node: Node | null, path: string, known: Fields): ReadonlyMap<string, Node | null>
  /** A text, or undefined and a report. */
  text(node: Node | null | undefined, path: string): Scalar<string> | undefined
  /** The offset in the file of an offset within the value of a text. */
  offsetIn(text: Scalar<string>, at: number): number
  /** Throws PARCOMOLO_CONTRACT_INVALID, or the given code, where something was reported. */
  finish(code?: ErrorCode): void
}

export type Fields = { readonly required: readonly string[]; readonly optional?: readonly string[] }

type Placed = { readonly line: number; readonly column: number; readonly path: string; readonly text: string }

/** Opens a file; throws PARCOMOLO_CONTRACT_INVALID at once where it is no YAML, since then nothing else can be said. */
export const openYaml = (file: SourceFile): YamlFile => {
  const tooMuch = tooMuchIn(file.text)
  if (tooMuch !== undefined) throw invalid(file.path, [{ line: 1, column: 1, path: '', text: tooMuch }])
  const lines = new LineCounter()
  const options = { lineCounter: lines, prettyErrors: false, strict: true }
  const document = withoutStacks(() => parseDocument(file.text, options))
  const problems: Placed[] = []
  const report: YamlFile['report'] = (at, path, text) => {
    const offset = typeof at === 'number' ? at : (at.range?.[0] ?? 0)
    const { line, col } = lines.linePos(offset)
    problems.push({ line, column: col, path, text })
  }
  const resolve = (node: Node | null): Node | null => (isAlias(node) ? (node.resolve(document) ?? null) : node)
  for (const error of document.errors) report(error.pos[0], '', error.message)
  if (problems.length > 0) throw invalid(file.path, problems)
  return {
    root: document.contents,
    report,
    fields: (node, path, known) => readFields(resolve(node), path, known, report),
    text: (unresolved, path) => {
      if (unresolved === undefined) return undefined
      const node = resolve(unresolved)
      if (isText(node) && node.value !== '') return node
      report(unresolved ?? 0, path, `found ${shown(node)}; expected a text`)
      return undefined
    },
    offsetIn: (text, at) => offsetIn(file.text, text, at),
    finish: (code) => {
      if (problems.length > 0) throw invalid(file.path, problems, code)
    }
  }
}

/** What opens more brackets than any file that is meant costs a reader of YAML seconds. */
const bracketsMax = 1_000

const tooMuchIn = (text: string): string | undefined => {
  if (text.length > limits.fileCharsMax)
    return `the file has ${text.length} characters; expected at most ${limits.fileCharsMax} (fileCharsMax)`
  let [open, most] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]
    if (sign === '[' || sign === '{') most = Math.max(most, ++open)
    else if ((sign === ']' || sign === '}') && open > 0) open--
  }
  return most > bracketsMax ? `${most} brackets are open inside each other; expected at most ${bracketsMax}` : undefined
}

const isText = (node: Node | null): node is Scalar<string> => isScalar(node) && typeof node.value === 'string'

const readFields = (
  node: Node | null,
  path: string,
  { required, optional = [] }: Fields,
  report: YamlFile['report']
): Map<string, Node | null> => {
  const found = new Map<string, Node | null>()
  if (!isMap(node)) {
    report(node ?? 0, path, `found ${shown(node)}; expected a mapping with ${listed(required)}`)
    return found
  }
  const names = [...required, ...optional]
  for (const { key, value } of node.items as { key: Node; value: Node | null }[]) {
    const name = keyName(key)
    found.set(name, value ?? nothingAt(key))
    if (!names.includes(name)) report(key, path, unknownField(name, names))
  }
  const missing = required.filter((name) => !found.has(name))
  for (const name of missing) report(node, path, `field '${name}' is missing; expected ${listed(required)}`)
  return found
}

/** `{ inbox }` has a key and no value. */
const nothingAt = (key: Node): Node => {
  const nothing = new Scalar(null)
  if (key.range != null) nothing.range = key.range
  return nothing
}

const keyName = (key: Node): string => (isText(key) ? key.value : shown(key))

const unknownField = (name: string, names: readonly string[]): string =>
  `unknown field '${name}'${didYouMean(name, names) || `; expected one of ${listed(names)}`}`

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')

const shown = (node: Node | null): string => {
  if (node === null) return 'nothing'
  if (!isScalar(node)) return isMap(node) ? 'a mapping' : 'a list'
  const value = node.value as string | number | boolean | null
  return value === null || value === '' ? 'nothing' : `'${value}'`
}

/**
 * Only a literal block (`|`) keeps its lines as they stand, each cut by the same indent; in any other form the place is
 * that of its beginning.
 */
const offsetIn = (source: string, text: Scalar<string>, at: number): number => {
  const start = text.range?.[0] ?? 0
  if (text.type !== 'BLOCK_LITERAL') return start
  const linesBefore = text.value.slice(0, at).split('\n')
  let lineStart = source.indexOf('\n', start) + 1
  for (let i = 1; i < linesBefore.length; i++) lineStart = source.indexOf('\n', lineStart) + 1
  const lineEnd = source.indexOf('\n', lineStart)
  const offset = lineStart + indentOf(source, start) + linesBefore.at(-1)!.length
  return Math.min(offset, lineEnd === -1 ? source.length : lineEnd)
}

/** The indent of the block whose `|` stands at `start`: that of its first line that is not blank. */
const indentOf = (source: string, start: number): number => {
  const first = source.slice(source.indexOf('\n', start) + 1).match(/^(?:[ \t]*\r?\n)*( *)/)
  return first?.[1]?.length ?? 0
}

const invalid = (
  path: string,
  problems: readonly Placed[],
  code: ErrorCode = 'PARCOMOLO_CONTRACT_INVALID'
): ParcomoloError => {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  const lines = sorted.map(
    (problem) =>
      `${path}:${problem.line}:${problem.column}${problem.path === '' ? '' : ` ${problem.path}:`} ${problem.text}`
  )
  return new ParcomoloError(code, lines.join('\n'), { details: { file: path, problems: sorted } })
}
