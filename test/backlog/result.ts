import type { Commands } from './commands.ts'
import { lostIn, type Phase } from './phases.ts'
import type { Lives } from './role-process.ts'

/** What a case has shown. Rates are orders a second; times are from the start of the process that was away. */
export type Result = {
  readonly name: string
  /** Orders that had to wait. */
  readonly waiting: number
  /** Undefined where nobody looked. */
  readonly ended?: number
  readonly lives: readonly Lives[]
  /** Commands an order by inbox, as usual and in the case. */
  readonly commands?: Commands
  /** `min`: how many times the usual it should be at least. */
  readonly rate?: { readonly usual: number; readonly here: number; readonly min: number }
  readonly doneMsMax?: number
  /** Until those who were too many knew it. */
  readonly refusedMs?: readonly number[]
  readonly firstMs?: number
  readonly doneMs?: number
  readonly others: Readonly<Record<string, readonly Phase[]>>
  /** What is not as it has to be, whatever the machine: each a sentence. */
  readonly wrong: readonly string[]
}

const commandsMax = 1.1

/** Goals in counts: they hold on any machine. */
export const missedCounts = ({ lives, commands = {}, others, wrong }: Result): string[] => [
  ...lives.flatMap(({ name, deaths }) =>
    deaths.length === 0 ? [] : [`${name} has died ${deaths.length} times: ${[...new Set(deaths)].join('; ')}`]
  ),
  ...Object.entries(commands).flatMap(([inbox, { usual, here }]) =>
    here <= usual * commandsMax
      ? []
      : [
          `${here.toFixed(2)} commands an order on ${inbox}; as usual it is ${usual.toFixed(2)}, goal <= ${commandsMax} times`
        ]
  ),
  ...Object.entries(others).flatMap(([name, phases]) => {
    const lost = lostIn(phases)
    return lost === 0 ? [] : [`${lost} of ${name} were never answered`]
  }),
  ...wrong
]

/** Goals in times, which a busy machine may miss. */
export const missedTimes = ({ rate, doneMs, doneMsMax, refusedMs = [] }: Result): string[] => [
  ...(rate === undefined || rate.here >= rate.usual * rate.min
    ? []
    : [`${rate.here.toFixed(0)} orders/s; goal >= ${rate.min} times ${rate.usual.toFixed(0)}`]),
  ...(doneMs === undefined || doneMsMax === undefined || doneMs <= doneMsMax
    ? []
    : [`done after ${(doneMs / 1000).toFixed(1)} s; goal <= ${doneMsMax / 1000} s`]),
  ...(percentile(refusedMs, 0.99) > refusedMsMax
    ? [`p99 of refusals is ${percentile(refusedMs, 0.99).toFixed(0)} ms; goal <= ${refusedMsMax} ms`]
    : [])
]

const refusedMsMax = 50

/** Not a number where there are none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
