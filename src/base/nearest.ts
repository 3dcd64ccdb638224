/** A name that is longer gets no advice: whoever sent it did not mistype it, and to look would cost too much. */
const charsMax = 64
const distanceMax = 4

/**
 * The known name that is closest to a mistyped one, if any is close enough to be meant: at most a third of its letters
 * apart, and no more than four. Cheap enough for text of strangers: some milliseconds among a thousand names.
 */
export const nearest = (name: string, known: Iterable<string>): string | undefined => {
  if (name.length > charsMax) return undefined
  const wanted = name.toLowerCase()
  const rows: Rows = [[], [], []]
  let best: string | undefined
  let allowed = Math.min(distanceMax, Math.max(1, Math.floor(name.length / 3)))
  for (const candidate of known) {
    if (candidate.length > charsMax || Math.abs(candidate.length - name.length) > allowed) continue
    const distance = editDistance(rows, wanted, candidate.toLowerCase(), allowed)
    if (distance > allowed) continue
    best = candidate
    allowed = distance - 1
    if (allowed < 0) break
  }
  return best
}

/** `; did you mean 'x'?`, or nothing. */
export const didYouMean = (name: string, known: Iterable<string>): string => {
  const found = nearest(name, known)
  return found === undefined ? '' : `; did you mean '${found}'?`
}

/** Of the table: the one in work and the two before it, used again and again. */
type Rows = [number[], number[], number[]]

/**
 * Letters to put in, leave out, replace, or swap with their neighbour (optimal string alignment); any number beyond
 * `allowed` where it is more. Only cells as near to the diagonal are looked at (Ukkonen), none once a row is beyond.
 */
const editDistance = (rows: Rows, a: string, b: string, allowed: number): number => {
  for (let j = 0; j <= b.length; j++) rows[1][j] = j
  for (let i = 1; i <= a.length; i++) {
    if (fillRow(rows, a, b, { i, allowed }) > allowed) return allowed + 1
    const [beforePrevious, previous, current] = rows
    rows[0] = previous
    rows[1] = current
    rows[2] = beforePrevious
  }
  return rows[1][b.length]!
}

/** Gives the least of the row. */
const fillRow = (
  [beforePrevious, previous, current]: Rows,
  a: string,
  b: string,
  { i, allowed }: { readonly i: number; readonly allowed: number }
): number => {
  const from = Math.max(1, i - allowed)
  const to = Math.min(b.length, i + allowed)
  let left = from === 1 ? i : allowed + 1
  let least = left
  current[from - 1] = left
  for (let j = from; j <= to; j++) {
    const replaced = previous[j - 1]! + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1)
    const above = j < i + allowed ? previous[j]! : allowed
    left = Math.min(above + 1, left + 1, replaced)
    if (i > 1 && j > 1 && isSwap(a, b, i, j)) left = Math.min(left, beforePrevious[j - 2]! + 1)
    current[j] = left
    if (left < least) least = left
  }
  return least
}

const isSwap = (a: string, b: string, i: number, j: number): boolean =>
  a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1)
