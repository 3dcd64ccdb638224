const columnsMax = 80

/** Breaks a sentence into lines that fit on a terminal, the first behind `first`, the others indented as far. */
export const paragraph = (text: string, first: string): string[] => {
  const lines: string[] = []
  let line = first
  for (const word of text.split(' ')) {
    if (line.trimEnd().length + 1 + word.length > columnsMax && line.length > first.length) {
      lines.push(line.trimEnd())
      line = ' '.repeat(first.length)
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}

/** Control characters in what others have written could do anything to a terminal, so they are shown as `\x1b`. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
