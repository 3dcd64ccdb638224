import type { PageMark } from '../view/index.ts'

/**
 * A cursor is the last row of a page, as its time and key: opaque to users, and still right when rows have come before
 * it.
 */
export const formatCursor = (mark: PageMark | undefined): string | null =>
  mark === undefined ? null : Buffer.from(JSON.stringify([mark.at, mark.key])).toString('base64url')

/** Undefined for a text that is none of ours. */
export const parseCursor = (text: string): PageMark | undefined => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parsed) || parsed.length !== 2) return undefined
    const [at, key] = parsed as unknown[]
    return Number.isSafeInteger(at) && typeof key === 'string' ? { at: at as number, key } : undefined
  } catch {
    return undefined
  }
}
