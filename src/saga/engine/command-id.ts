/**
 * `<saga>/<step>/<key>`, and `<saga>/<step>!undo/<key>` for its compensation: the same at every attempt. The key may
 * hold anything, slashes too.
 */
export type CommandAddress = {
  readonly saga: string
  readonly step: string
  readonly key: string
  readonly undo: boolean
}

const undoMark = '!undo'

export const commandId = (saga: string, step: string, key: string, undo: boolean): string =>
  `${saga}/${step}${undo ? undoMark : ''}/${key}`

/** Undefined for an id that is not of this form: some other sender's. */
export const parseCommandId = (id: string): CommandAddress | undefined => {
  const first = id.indexOf('/')
  const second = id.indexOf('/', first + 1)
  if (first < 1 || second < 0) return undefined
  const undo = id.endsWith(undoMark, second)
  const step = id.slice(first + 1, undo ? second - undoMark.length : second)
  return { saga: id.slice(0, first), step, key: id.slice(second + 1), undo }
}
