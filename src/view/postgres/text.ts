import { sha256Hex } from '../../base/index.ts'

/**
 * Texts as PostgreSQL takes them: it has no U+0000, and no half of a surrogate pair. A text with such a character,
 * which only a foreign participant can have chosen, is stored as its JSON after a mark, so that different texts stay
 * different.
 */
export const stored = (text: string): string =>
  text.includes('\0') || text.startsWith(jsonMark) || !text.isWellFormed() ? jsonMark + JSON.stringify(text) : text

export const original = (text: string): string =>
  text.startsWith(jsonMark) ? (JSON.parse(text.slice(jsonMark.length)) as string) : text

/** The same for a column with an index, whose entries have to be short: of a long text its beginning and its hash. */
export const indexed = (text: string): string =>
  text.length > indexedCharsMax || text.startsWith(hashMark)
    ? hashMark + stored(text.slice(0, beginningChars)) + sha256Hex(text)
    : stored(text)

const jsonMark = '\u0001'
const hashMark = '\u0002'
/** Three of them, at three bytes each, are well below what an entry may have: 2,704 bytes. */
const indexedCharsMax = 200
const beginningChars = 60
