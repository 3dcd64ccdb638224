/** How a scalar is written, by the names of the YAML parser. */
export type ScalarStyle = 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE' | 'BLOCK_FOLDED' | 'BLOCK_LITERAL'

/**
 * The offset in the YAML text of one character of a scalar's value. Value and text are walked side by side: they differ
 * in escapes, and in white space, which folding and indentation change; so white space is matched with white space,
 * however much there is.
 */
export const offsetOfCharacter = (
  text: string,
  scalar: { readonly start: number; readonly style: ScalarStyle; readonly value: string },
  index: number
): number => {
  let at = startOfContent(text, scalar)
  for (let i = 0; i < index; i++) {
    // An escape of a character beyond 16 bits has given both halves of a surrogate pair.
    if (isLowSurrogate(scalar.value, i) && !isLowSurrogate(text, at)) continue
    if (isBlank(scalar.value[i])) at += isBlank(text[at]) ? 1 : lengthOfCharacter(text, at, scalar.style)
    else {
      at = skipBlanks(text, at, scalar.style)
      at += lengthOfCharacter(text, at, scalar.style)
    }
  }
  return isBlank(scalar.value[index]) || index >= scalar.value.length ? at : skipBlanks(text, at, scalar.style)
}

const startOfContent = (text: string, scalar: { start: number; style: ScalarStyle }): number => {
  if (scalar.style === 'PLAIN') return scalar.start
  if (scalar.style === 'QUOTE_DOUBLE' || scalar.style === 'QUOTE_SINGLE') return scalar.start + 1
  return text.indexOf('\n', scalar.start) + 1
}

const isLowSurrogate = (text: string, at: number): boolean => /[\uDC00-\uDFFF]/.test(text.charAt(at))

const isBlank = (character: string | undefined): boolean => character !== undefined && /\s/.test(character)

/** Also over a line continuation of a double-quoted scalar, which leaves nothing in the value. */
const skipBlanks = (text: string, from: number, style: ScalarStyle): number => {
  let at = from
  for (;;) {
    if (isBlank(text[at])) at++
    else if (style === 'QUOTE_DOUBLE' && text[at] === '\\' && isBlank(text[at + 1]) && text[at + 1] !== ' ') at += 2
    else return at
  }
}

const escapeLengths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 }

const lengthOfCharacter = (text: string, at: number, style: ScalarStyle): number => {
  if (style === 'QUOTE_DOUBLE' && text[at] === '\\') return escapeLengths[text[at + 1]!] ?? 2
  return style === 'QUOTE_SINGLE' && text[at] === "'" ? 2 : 1
}
