/** Reads what values.yaml says beside its values: the comment over each key, and the lines with @ in it. */

export type Remark = {
  /** For people, on one line. */
  readonly text: string
  /** What the schema asks for, by the word after the @. */
  readonly asks: ReadonlyMap<string, string>
}

const none: Remark = { text: '', asks: new Map() }

/** By the path of the key, as `view.database.port`. */
export type Remarks = { of(path: string): Remark; readonly paths: readonly string[] }

export const remarksIn = (yaml: string): Remarks => {
  const found = new Map<string, Remark>()
  const above: string[] = []
  let comment: string[] = []
  for (const line of yaml.split('\n')) {
    const [, indent = '', text] = /^( *)# ?(.*)$/.exec(line) ?? []
    const [, keyIndent = '', key] = /^( *)([\w.-]+):/.exec(line) ?? []
    if (text !== undefined && indent.length % 2 === 0) comment.push(text)
    else if (key === undefined) comment = []
    else {
      above.splice(keyIndent.length / 2, Infinity, key)
      found.set(above.join('.'), remarkOf(comment))
      comment = []
    }
  }
  return { of: (path) => found.get(path) ?? none, paths: [...found.keys()] }
}

const remarkOf = (lines: readonly string[]): Remark => {
  const asks = lines.map((line) => /^@(\w+) ?(.*)$/.exec(line)).filter((match) => match !== null)
  return {
    text: lines.filter((line) => !line.startsWith('@')).join(' '),
    asks: new Map(asks.map((match) => [match[1]!, match[2]!.trim()]))
  }
}
