import test from 'ava'
import { conditionOf, conditionsOf, type Standing } from '../../src/operator/conditions.ts'
import type { Condition } from '../../src/operator/crd/index.ts'

const at = (seconds: number) => ({ generation: 1, now: Date.UTC(2026, 0, 1) + seconds * 1000 + 250 })

const said = (conditions: readonly Condition[]): string[] =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)

const ready: Standing = { kind: 'ready', reason: 'Published', message: 'revision a is in force' }
const stalled: Standing = { kind: 'stalled', reason: 'Invalid', message: 'spec.start: missing' }

test('each standing says all three conditions, and what kstatus makes of them', (t) => {
  const cases: [Standing, string[]][] = [
    [{ kind: 'pending' }, ['Ready Unknown Pending', 'Reconciling True Pending', 'Stalled Unknown Pending']],
    [ready, ['Ready True Published', 'Reconciling False Settled', 'Stalled False Settled']],
    [
      { kind: 'working', reason: 'Failing', message: 'no broker answers' },
      ['Ready False Failing', 'Reconciling True Failing', 'Stalled False Progressing']
    ],
    [stalled, ['Ready False Invalid', 'Reconciling False Settled', 'Stalled True Invalid']]
  ]
  for (const [standing, expected] of cases) t.deepEqual(said(conditionsOf(standing, undefined, at(0))), expected)
})

test('the time of a condition moves only when its status does', (t) => {
  const first = conditionsOf(ready, undefined, at(0))
  const again = conditionsOf({ ...ready, message: 'revision b is in force' }, first, { ...at(5), generation: 2 })
  t.is(conditionOf(again, 'Ready')!.lastTransitionTime, '2026-01-01T00:00:00Z')
  t.like(conditionOf(again, 'Ready'), { message: 'revision b is in force', observedGeneration: 2 })
  const broken = conditionsOf(stalled, again, at(10))
  t.is(conditionOf(broken, 'Ready')!.lastTransitionTime, '2026-01-01T00:00:10Z')
  t.is(conditionOf(broken, 'Reconciling')!.lastTransitionTime, '2026-01-01T00:00:00Z')
})

test('a message that is too long for a condition is cut between characters', (t) => {
  for (const text of ['x'.repeat(40_000), '😀'.repeat(20_000), ` ${'😀'.repeat(20_000)}`]) {
    const { message } = conditionOf(conditionsOf({ ...stalled, message: text }, undefined, at(0)), 'Ready')!
    t.true(message.length <= 32_768)
    t.true(message.isWellFormed())
    t.true(message.endsWith('…'))
  }
})
