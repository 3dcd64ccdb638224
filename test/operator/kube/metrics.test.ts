import test from 'ava'
import { healthOf, type Parts } from '../../../src/operator/kube/facts.ts'
import { metricsText } from '../../../src/operator/kube/metrics.ts'
import { VirtualClock } from '../../helpers/virtual-clock.ts'

const parts = (hasSynced: boolean): Parts => ({
  reflectors: new Map([
    ['sagas', { hasSynced, stats: { objectCount: 3, listCount: 1, watchCount: 4, failureCount: 2, movedAt: 1_000 } }]
  ]),
  controllers: [
    {
      ...{ name: 'saga', depth: 5, addCount: 9 },
      stats: {
        results: { done: 4, requeued: 1, terminal: 0, failed: 2 },
        bucketCounts: [1, 2, 3, 4, 5, 6, 6],
        secondsTotal: 12.5
      }
    }
  ],
  elector: { isLeader: true },
  recorder: { stats: { recordedCount: 7, droppedCount: 1 } }
})

test('the metrics are text that Prometheus reads, each with its help and its type', (t) => {
  const lines = metricsText(parts(true)).split('\n')
  for (const expected of [
    '# TYPE parcomolo_operator_leader gauge',
    'parcomolo_operator_leader 1',
    'parcomolo_operator_events_total{result="dropped"} 1',
    'parcomolo_operator_watch_failures_total{resource="sagas"} 2',
    'parcomolo_operator_queue_depth{controller="saga"} 5',
    'parcomolo_operator_reconciles_total{controller="saga",result="failed"} 2',
    '# TYPE parcomolo_operator_reconcile_seconds histogram',
    'parcomolo_operator_reconcile_seconds_bucket{controller="saga",le="0.1"} 3',
    'parcomolo_operator_reconcile_seconds_bucket{controller="saga",le="+Inf"} 7',
    'parcomolo_operator_reconcile_seconds_sum{controller="saga"} 12.5',
    'parcomolo_operator_reconcile_seconds_count{controller="saga"} 7'
  ])
    t.true(lines.includes(expected), expected)
  const sample = /^(# (HELP|TYPE) )?parcomolo_operator_[a-z_]+(\{([a-z]+="[^"]*",?)+\})? .+$/
  t.deepEqual(
    lines.filter((line) => line !== '' && !sample.test(line)),
    []
  )
})

test('it is ready when all objects have been read, and alive as long as its loops come on', (t) => {
  const clock = new VirtualClock(2_000)
  t.deepEqual(healthOf(parts(true), clock).ready, [{ name: 'sagas', ok: true, detail: '' }])
  t.false(healthOf(parts(false), clock).ready[0]!.ok)
  t.true(healthOf(parts(false), clock).alive[0]!.ok)
  clock.advance(600_000)
  t.deepEqual(healthOf(parts(true), clock).alive, [{ name: 'sagas', ok: false, detail: 'nothing has moved for 601 s' }])
})
