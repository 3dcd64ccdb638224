const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** What a duration looks like, and how long the longest such text is. */
export const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/
export const durationCharsMax = 15

/** `250ms`, `5s`, `1.5m`, `1h`, `7d` as milliseconds; undefined for any other text. */
export const parseDuration = (text: string): number | undefined => {
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  return Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs])
}

const units = [
  ['d', unitMs.d],
  ['h', unitMs.h],
  ['m', unitMs.m],
  ['s', unitMs.s]
] as const

/** For people: one unit, with a digit behind the point where that says more. */
export const aboutDuration = (ms: number): string => {
  const [unit, size] = units.find(([, each]) => ms >= each) ?? ['ms', 1]
  return `${Math.round((ms / size) * 10) / 10} ${unit}`
}

/** As `parseDuration` reads it, in the largest unit that leaves no fraction. */
export const showDuration = (ms: number): string => {
  const [unit, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
