import { timeBuckets } from './controller.ts'
import type { Parts } from './facts.ts'

type Sample = {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
  /** `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: string
}

/** All that is measured of an operator, in Prometheus' text format, each name with `parcomolo_operator_` before it. */
export const metricsText = (parts: Parts): string =>
  [...leaderMetrics(parts), ...reflectorMetrics(parts), ...queueMetrics(parts), reconcileTimes(parts)].join('')

const leaderMetrics = ({ elector, recorder }: Parts): string[] => [
  family('leader', 'gauge', 'Whether this process leads', [{ value: elector.isLeader ? 1 : 0 }]),
  family('events_total', 'counter', 'Events that were written to the API server, and that were left out', [
    { labels: { result: 'recorded' }, value: recorder.stats.recordedCount },
    { labels: { result: 'dropped' }, value: recorder.stats.droppedCount }
  ])
]

const reflectorMetrics = ({ reflectors }: Parts): string[] => {
  type Stats =
    Parts['reflectors'] extends ReadonlyMap<string, infer R> ? (R extends { stats: infer S } ? S : never) : never
  const each = (read: (stats: Stats) => number): Sample[] =>
    [...reflectors].map(([resource, { stats }]) => ({ labels: { resource }, value: read(stats) }))
  return [
    family(
      'objects',
      'gauge',
      'Objects of the API server that are known',
      each((stats) => stats.objectCount)
    ),
    family(
      'lists_total',
      'counter',
      'Times that all objects were listed',
      each((stats) => stats.listCount)
    ),
    family(
      'watches_total',
      'counter',
      'Watches that were opened',
      each((stats) => stats.watchCount)
    ),
    family(
      'watch_failures_total',
      'counter',
      'Lists and watches that failed',
      each((stats) => stats.failureCount)
    )
  ]
}

const queueMetrics = ({ controllers }: Parts): string[] => [
  family(
    'queue_depth',
    'gauge',
    'Keys that wait for a worker',
    controllers.map(({ name, depth }) => ({ labels: { controller: name }, value: depth }))
  ),
  family(
    'queue_adds_total',
    'counter',
    'Keys that were put into the queue',
    controllers.map(({ name, addCount }) => ({ labels: { controller: name }, value: addCount }))
  ),
  family(
    'reconciles_total',
    'counter',
    'Reconciles by how they came out',
    controllers.flatMap(({ name, stats }) =>
      Object.entries(stats.results).map(([result, value]) => ({ labels: { controller: name, result }, value }))
    )
  )
]

const reconcileTimes = ({ controllers }: Parts): string =>
  family(
    'reconcile_seconds',
    'histogram',
    'Time that a reconcile took',
    controllers.flatMap(({ name, stats }) => {
      const count = Object.values(stats.results).reduce((sum, value) => sum + value, 0)
      const bucket = (le: number | string, value: number): Sample => ({
        ...{ suffix: '_bucket', labels: { controller: name, le }, value }
      })
      return [
        ...timeBuckets.map((le, at) => bucket(le, stats.bucketCounts[at]!)),
        bucket('+Inf', count),
        { suffix: '_sum', labels: { controller: name }, value: stats.secondsTotal },
        { suffix: '_count', labels: { controller: name }, value: count }
      ]
    })
  )

const family = (name: string, type: string, help: string, samples: readonly Sample[]): string => {
  const full = `parcomolo_operator_${name}`
  const lines = samples.map(({ value, labels, suffix = '' }) => `${full}${suffix}${labelText(labels)} ${value}\n`)
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`
}

const labelText = (labels: Sample['labels'] = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
