import { type ErrorCode, ParcomoloError } from '../../base/index.ts'
import { sagaLimits } from '../definition/index.ts'

/**
 * Where something stands: its offset in the text, and its path in the definition (`steps[2].compensate`; empty for the
 * whole file).
 */
export type Place = { readonly offset: number; readonly path: string }

export type Finding = {
  readonly code: ErrorCode
  readonly file: string
  /** From 1, as `column`. */
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

/** Collects what is wrong with one file, so that all of it is reported at once. */
export type Findings = {
  error(place: Place, code: ErrorCode, message: string): void
  warn(place: Place, code: ErrorCode, message: string): void
  /** By a rule that earlier releases did not have: only a warning about what was published before. */
  errorWhereNew(place: Place, code: ErrorCode, message: string): void
  /** `file:line:column path` of a place, for errors at run time. */
  whereIs(place: Place): string
  hasErrors(): boolean
  warnings(): readonly Finding[]
  /** Throws PARCOMOLO_SAGA_INVALID with every error, in the order of the file. */
  throwIfAny(): void
}

export const createFindings = (
  file: { readonly path: string; readonly text: string },
  isPublished = false
): Findings => {
  const errors: Finding[] = []
  const warnings: Finding[] = []
  const lineStarts = startsOfLines(file.text)
  const locate = ({ offset, path }: Place): Pick<Finding, 'file' | 'line' | 'column' | 'path'> => {
    const line = lineOf(lineStarts, offset)
    return { file: file.path, line: line + 1, column: offset - lineStarts[line]! + 1, path: visible(path) }
  }
  const known = new Set<string>()
  const add = (list: Finding[], finding: Finding): void => {
    const text = findingText(finding)
    if (!known.has(text)) list.push(finding)
    known.add(text)
  }
  const addTo =
    (list: Finding[]): Findings['error'] =>
    (place, code, message) =>
      add(list, { code, ...locate(place), message: visible(message) })
  return {
    error: addTo(errors),
    warn: addTo(warnings),
    errorWhereNew: addTo(isPublished ? warnings : errors),
    whereIs: (place) => whereText(locate(place)),
    hasErrors: () => errors.length > 0,
    warnings: () => warnings.toSorted(byPosition),
    throwIfAny: () => {
      if (errors.length > 0) throw invalid(errors.toSorted(byPosition))
    }
  }
}

/** `sagas/order.yaml:14:7 steps[2].compensate: unknown command 'RelaseStock'; did you mean 'ReleaseStock'?` */
export const findingText = (finding: Finding): string => `${whereText(finding)}: ${finding.message}`

const whereText = (at: Pick<Finding, 'file' | 'line' | 'column' | 'path'>): string =>
  `${at.file}:${at.line}:${at.column}${at.path === '' ? '' : ` ${at.path}`}`

const invalid = (errors: readonly Finding[]): ParcomoloError => {
  const more = errors.length - 1
  const rest = more === 0 ? '' : ` (and ${more} more error${more === 1 ? '' : 's'})`
  return new ParcomoloError('PARCOMOLO_SAGA_INVALID', `${findingText(errors[0]!)}${rest}`, {
    details: { errors: errors.slice(0, sagaLimits.errors.value), errorCount: errors.length }
  })
}

const byPosition = (a: Finding, b: Finding): number => a.line - b.line || a.column - b.column

/** The last line that begins at or before the offset; by halves, since a broken file may have very many errors. */
const lineOf = (starts: readonly number[], offset: number): number => {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle
  }
  return low
}

/** As a reader can see it: on one line, and without what looks like nothing, or like a space. */
const visible = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(unseen, shown)

/** What looks like a space, and is a letter to YAML. */
export const oddSpace = /[^\S \t\r\n]/

const unseen = /(?![ \t])[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]/gu

const shown = (character: string): string =>
  `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`

const startsOfLines = (text: string): number[] => {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
