import type { Phase } from './phases.ts'
import { missedCounts, missedTimes, percentile, type Result } from './result.ts'
import type { Lives } from './role-process.ts'

type Column = { readonly title: string; readonly cell: (result: Result) => string }

const columns: readonly Column[] = [
  { title: 'waiting', cell: ({ waiting }) => String(waiting) },
  { title: 'ended', cell: ({ ended }) => String(ended ?? '-') },
  { title: 'peak MB', cell: ({ lives }) => peakOf(fullest(lives)) },
  { title: 'of MB', cell: ({ lives }) => megabytes(fullest(lives)?.memoryBytes) },
  { title: 'whose       ', cell: ({ lives }) => fullest(lives)?.name ?? '-' },
  { title: 'deaths', cell: ({ lives }) => String(lives.reduce((sum, { deaths }) => sum + deaths.length, 0)) },
  { title: 'commands/order', cell: ({ commands }) => sumOf(commands, 'here') },
  { title: 'usual', cell: ({ commands }) => sumOf(commands, 'usual') },
  { title: 'orders/s', cell: ({ rate }) => whole(rate?.here) },
  { title: 'usual/s', cell: ({ rate }) => whole(rate?.usual) },
  { title: 'times', cell: ({ rate }) => (rate === undefined ? '-' : (rate.here / rate.usual).toFixed(2)) },
  { title: 'first s', cell: ({ firstMs }) => seconds(firstMs) },
  { title: 'done s', cell: ({ doneMs }) => seconds(doneMs) }
]

const nameWidth = 'a new view, from a snapshot'.length

export const head = ['case'.padEnd(nameWidth), ...columns.map(({ title }) => title)].join('  ')

/** A row of the table, and below it what lies behind it. */
export const told = (result: Result): string =>
  [
    [result.name.padEnd(nameWidth), ...columns.map(({ title, cell }) => cell(result).padStart(title.length))].join(
      '  '
    ),
    `    peak MB (with files): ${result.lives.map(lifeOf).join(', ')}`,
    ...inboxLines(result),
    ...Object.entries(result.others).map(([name, phases]) => `    ${name}: ${phases.map(phaseOf).join('; ')}`),
    ...(result.refusedMs === undefined ? [] : [`    refusals: ${refusalsOf(result.refusedMs)}`]),
    ...missedCounts(result).map((missed) => `    MISSED: ${missed}`),
    ...missedTimes(result).map((missed) => `    slow: ${missed}`)
  ].join('\n')

/** The same for programs. */
export const jsonOf = (results: readonly Result[]): string =>
  JSON.stringify(
    results.map(({ others, refusedMs, ...result }) => ({
      ...result,
      others: Object.fromEntries(
        Object.entries(others).map(([name, phases]) => [
          name,
          phases.map(({ answeredMs, ...phase }) => ({ ...phase, ...summaryOf(answeredMs) }))
        ])
      ),
      ...(refusedMs === undefined ? {} : { refusals: summaryOf(refusedMs) }),
      missedCounts: missedCounts({ ...result, others }),
      missedTimes: missedTimes({ ...result, others, ...(refusedMs === undefined ? {} : { refusedMs }) })
    }))
  )

const summaryOf = (ms: readonly number[]) => ({
  count: ms.length,
  p50Ms: percentile(ms, 0.5),
  p99Ms: percentile(ms, 0.99)
})

/** The one that is nearest to its limit. */
const fullest = (lives: readonly Lives[]): Lives | undefined => lives.toSorted((a, b) => shareOf(b) - shareOf(a))[0]

const shareOf = ({ peakBytes, memoryBytes = Infinity }: Lives): number => peakBytes / memoryBytes

const lifeOf = (life: Lives): string => `${life.name} ${peakOf(life)} (${megabytes(life.peakWithFilesBytes)})`

const inboxLines = ({ commands }: Result): string[] =>
  commands === undefined
    ? []
    : [
        `    commands an order: ${Object.entries(commands)
          .map(([inbox, { usual, here }]) => `${inbox} ${here.toFixed(2)} (usual ${usual.toFixed(2)})`)
          .join(', ')}`
      ]

const refusalsOf = (refusedMs: readonly number[]): string =>
  `${refusedMs.length}, p50 ${whole(percentile(refusedMs, 0.5))} p99 ${whole(percentile(refusedMs, 0.99))} ms`

const phaseOf = ({ name, asked, answeredMs, refused }: Phase): string => {
  const at = (share: number): string => whole(percentile(answeredMs, share))
  const refusals = refused === 0 ? '' : `, ${refused} refused`
  return `${name} ${answeredMs.length} of ${asked}${refusals}, p50 ${at(0.5)} p99 ${at(0.99)} ms`
}

const peakOf = (life: Lives | undefined): string => megabytes(life?.peakBytes)

const megabytes = (bytes: number | undefined): string => (bytes === undefined ? '-' : (bytes / 2 ** 20).toFixed(0))

const sumOf = (commands: Result['commands'], which: 'usual' | 'here'): string =>
  commands === undefined
    ? '-'
    : Object.values(commands)
        .reduce((sum, one) => sum + one[which], 0)
        .toFixed(2)

const whole = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(0)

const seconds = (ms: number | undefined): string =>
  ms === undefined || !Number.isFinite(ms) ? '-' : (ms / 1000).toFixed(1)
