import type { LoadResult } from './load.ts'
import type { Counters } from './target.ts'

/** A run, and what it cost. */
export type Measured = LoadResult & {
  readonly cpuSeconds: number
  readonly driverSeconds: number
  readonly fsyncs: number
  readonly logBytes: number
  readonly residentBytes: number
}

export type Use = { readonly before: Counters; readonly after: Counters; readonly driverSeconds: number }

export const measured = (result: LoadResult, { before, after, driverSeconds }: Use): Measured => ({
  ...result,
  driverSeconds,
  cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  fsyncs: after.fsyncs - before.fsyncs,
  logBytes: after.logBytes - before.logBytes,
  residentBytes: after.residentBytes
})

const columns = [
  'target    ',
  'clients',
  'orders/s',
  'p50 ms',
  'p99 ms',
  'undone p50 ms',
  'undone/paid',
  'server CPU s/1000',
  'driver CPU s/1000',
  'fsyncs/order',
  'log KB/order',
  'server MB',
  'errors'
]

export const head = (): string => columns.join('  ')

export const row = (target: string, clients: number, run: Measured): string => {
  const { orders, perSecond, paidMs, p99Ms, undoneMs, cpuPer1000 } = figures([run])
  const errors = [...run.errors].map(([what, count]) => `${what}: ${count}`).join(', ')
  const cells = [
    target.padEnd(columns[0]!.length),
    String(clients),
    perSecond.toFixed(0),
    paidMs.toFixed(1),
    p99Ms.toFixed(1),
    undoneMs.toFixed(1),
    (undoneMs / paidMs).toFixed(2),
    cpuPer1000.toFixed(3),
    ((run.driverSeconds / orders) * 1000).toFixed(3),
    (run.fsyncs / orders).toFixed(3),
    (run.logBytes / orders / 1024).toFixed(1),
    (run.residentBytes / 1024 / 1024).toFixed(0),
    errors === '' ? 'none' : errors
  ]
  return cells.map((cell, i) => (cell === 'NaN' ? '-' : cell).padStart(columns[i]!.length)).join('  ')
}

/** How we stand to a rival, each with all of its runs as if they had been a single one; above 1 we are better. */
export const ratios = (clients: number, ours: readonly Measured[], rivals: readonly Measured[]): string => {
  const [a, b] = [figures(ours), figures(rivals)]
  const cells = [
    `${String(clients).padStart(4)} clients`,
    `orders/s ${(a.perSecond / b.perSecond).toFixed(2)}`,
    `p50 ${(b.paidMs / a.paidMs).toFixed(2)}`,
    `p99 ${(b.p99Ms / a.p99Ms).toFixed(2)}`,
    `undone p50 ${(b.undoneMs / a.undoneMs).toFixed(2)}`,
    `server CPU ${(b.cpuPer1000 / a.cpuPer1000).toFixed(2)}`
  ]
  return cells.join('  ')
}

const figures = (runs: readonly Measured[]) => {
  const completedMs = runs.flatMap((run) => run.completedMs)
  const rejectedMs = runs.flatMap((run) => run.rejectedMs)
  const orders = completedMs.length + rejectedMs.length
  const seconds = runs.reduce((total, run) => total + run.seconds, 0)
  const cpuSeconds = runs.reduce((total, run) => total + run.cpuSeconds, 0)
  return {
    orders,
    perSecond: orders / seconds,
    paidMs: percentile(completedMs, 0.5),
    p99Ms: percentile(completedMs, 0.99),
    undoneMs: percentile(rejectedMs, 0.5),
    cpuPer1000: (cpuSeconds / orders) * 1000
  }
}

/** Not a number where there are none. */
const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
