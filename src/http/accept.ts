/**
 * Which of the offered media types an Accept header wants most; the first offered where it has no preference; undefined
 * where none will do.
 */
export const preferredType = (accept: string | undefined, offered: readonly string[]): string | undefined => {
  const ranges = (accept ?? '*/*').slice(0, 1000).split(',').map(parseRange)
  let best: string | undefined
  let bestQuality = 0
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > bestQuality) [best, bestQuality] = [type, quality]
  }
  return best
}

type Range = { readonly type: string; readonly quality: number }

const parseRange = (text: string): Range => {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
}

/** The most specific range counts (RFC 9110 §12.5.1). */
const qualityOf = (type: string, ranges: readonly Range[]): number => {
  const wildcards = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*']
  for (const wildcard of wildcards) {
    const range = ranges.find((candidate) => candidate.type === wildcard)
    if (range !== undefined) return range.quality
  }
  return 0
}
