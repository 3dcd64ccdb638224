import { brokers, type Counters, type Quantity, total, type Usage } from './counters.ts'
import type { LoadResult } from './load.ts'

/** A run, and what each process has used meanwhile; of memory, what it holds at the end. */
export type Measured = LoadResult & { readonly used: Counters; readonly driverSeconds: number }

type Column = {
  readonly title: string
  readonly cell: (figures: Figures) => string
  /** It is left out where no target knows of it; of the brokers, where none sees them. */
  readonly needs?: Quantity | typeof brokers
}

const perOrder = (quantity: Quantity, title: string, digits: number, unit = 1): Column => ({
  title,
  cell: ({ per }) => (per(quantity) / unit).toFixed(digits),
  needs: quantity
})

const columns: readonly Column[] = [
  { title: 'orders/s', cell: ({ perSecond }) => perSecond.toFixed(0) },
  { title: 'p50 ms', cell: ({ paidMs }) => paidMs.toFixed(1) },
  { title: 'p99 ms', cell: ({ p99Ms }) => p99Ms.toFixed(1) },
  { title: 'undone p50 ms', cell: ({ undoneMs }) => undoneMs.toFixed(1) },
  { title: 'undone/paid', cell: ({ undoneMs, paidMs }) => (undoneMs / paidMs).toFixed(2) },
  { title: 'server CPU s/1000', cell: ({ per }) => (per('cpuSeconds') * 1000).toFixed(3) },
  { title: 'broker CPU s/1000', cell: ({ brokerPer1000 }) => brokerPer1000.toFixed(3), needs: brokers },
  { title: 'driver CPU s/1000', cell: ({ driverPer1000 }) => driverPer1000.toFixed(3) },
  perOrder('fsyncs', 'fsyncs/order', 3),
  perOrder('produceRequests', 'produces/order', 2),
  perOrder('fetchRequests', 'fetches/order', 2),
  perOrder('producedRecords', 'records/order', 1),
  perOrder('logBytes', 'log KB/order', 1, 1024),
  { title: 'server MB', cell: ({ residentBytes }) => (residentBytes / 1024 / 1024).toFixed(0) },
  { title: 'refused/s', cell: ({ refusedPerSecond }) => refusedPerSecond.toFixed(0) },
  { title: 'refused p99 ms', cell: ({ refusedP99Ms }) => refusedP99Ms.toFixed(1) },
  { title: 'seen p99 ms', cell: ({ seenP99Ms }) => seenP99Ms.toFixed(1) },
  { title: 'errors', cell: ({ errors }) => (errors === '' ? 'none' : errors) }
]

export type Table = {
  readonly head: string
  row(target: string, clients: number, run: Measured): string
}

/** With the columns that these targets can fill. */
export const tableOf = (targets: readonly { readonly name: string; readonly counters: Counters }[]): Table => {
  const shown = columns.filter(
    ({ needs }) => needs === undefined || targets.some(({ counters }) => knows(counters, needs))
  )
  const width = Math.max('target'.length, ...targets.map(({ name }) => name.length))
  return {
    head: ['target'.padEnd(width), 'clients', ...shown.map(({ title }) => title)].join('  '),
    row: (target, clients, run) => {
      const found = figures([run])
      const cells = shown.map(({ title, cell }) => known(cell(found)).padStart(title.length))
      return [target.padEnd(width), String(clients).padStart('clients'.length), ...cells].join('  ')
    }
  }
}

const known = (cell: string): string => (cell === 'NaN' ? '-' : cell)

const knows = (counters: Counters, needs: NonNullable<Column['needs']>): boolean =>
  needs === brokers ? counters.has(brokers) : !Number.isNaN(total(counters, needs))

/** A line for each process. Little in a batch or a round, with much to do, tells that the tasks run out of step. */
export const processLines = (run: Measured): string[] => {
  const orders = run.completedMs.length + run.rejectedMs.length
  const width = Math.max(...[...run.used.keys()].map(({ length }) => length))
  return [...run.used].map(([name, usage]) => {
    const cells = processCells(usage, orders).map(({ title, value }) => `${title} ${known(value)}`)
    return `    ${name.padEnd(width)}  ${cells.join('  ')}`
  })
}

const processCells = (usage: Usage, orders: number) => {
  const of = (quantity: Quantity, by: Quantity | number, digits: number): string =>
    ((usage[quantity] ?? Number.NaN) / (typeof by === 'number' ? by : (usage[by] ?? Number.NaN))).toFixed(digits)
  return [
    { title: 'CPU s/1000', value: of('cpuSeconds', orders / 1000, 3) },
    { title: 'produces/order', value: of('produceRequests', orders, 2) },
    { title: 'batches/produce', value: of('producedBatches', 'produceRequests', 1) },
    { title: 'records/batch', value: of('producedRecords', 'producedBatches', 1) },
    { title: 'fetches/order', value: of('fetchRequests', orders, 2) },
    { title: 'records/fetch', value: of('fetchedRecords', 'fetchRequests', 1) },
    { title: 'inputs/round', value: of('inputs', 'rounds', 1) },
    { title: 'MB', value: of('residentBytes', 1024 * 1024, 0) }
  ]
}

/** How a target stands to a rival, each with all of its runs as if they had been a single one; above 1 it is better. */
export const ratios = (clients: number, ours: readonly Measured[], rivals: readonly Measured[]): string => {
  const [a, b] = [figures(ours), figures(rivals)]
  const cells = [
    `${String(clients).padStart(4)} clients`,
    `orders/s ${(a.perSecond / b.perSecond).toFixed(2)}`,
    `p50 ${(b.paidMs / a.paidMs).toFixed(2)}`,
    `p99 ${(b.p99Ms / a.p99Ms).toFixed(2)}`,
    `undone p50 ${(b.undoneMs / a.undoneMs).toFixed(2)}`,
    `CPU ${(allCpu(b) / allCpu(a)).toFixed(2)}`
  ]
  return cells.join('  ')
}

const allCpu = ({ per, brokerPer1000 }: Figures): number =>
  per('cpuSeconds') * 1000 + (Number.isNaN(brokerPer1000) ? 0 : brokerPer1000)

type Figures = ReturnType<typeof figures>

const figures = (runs: readonly Measured[]) => {
  const completedMs = runs.flatMap((run) => run.completedMs)
  const rejectedMs = runs.flatMap((run) => run.rejectedMs)
  const refusedMs = runs.flatMap((run) => run.refusedMs)
  const orders = completedMs.length + rejectedMs.length
  const sum = (of: (run: Measured) => number): number => runs.reduce((all, run) => all + of(run), 0)
  return {
    perSecond: orders / sum(({ seconds }) => seconds),
    refusedPerSecond: refusedMs.length / sum(({ seconds }) => seconds),
    refusedP99Ms: percentile(refusedMs, 0.99),
    seenP99Ms: percentile(
      runs.flatMap((run) => run.seenMs),
      0.99
    ),
    paidMs: percentile(completedMs, 0.5),
    p99Ms: percentile(completedMs, 0.99),
    undoneMs: percentile(rejectedMs, 0.5),
    per: (quantity: Quantity): number => sum(({ used }) => total(used, quantity)) / orders,
    brokerPer1000: (sum(({ used }) => used.get(brokers)?.cpuSeconds ?? Number.NaN) / orders) * 1000,
    driverPer1000: (sum(({ driverSeconds }) => driverSeconds) / orders) * 1000,
    residentBytes: total(runs.at(-1)!.used, 'residentBytes'),
    errors: runs.flatMap((run) => [...run.errors].map(([what, count]) => `${what}: ${count}`)).join(', ')
  }
}

/** Not a number where there are none. */
const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
