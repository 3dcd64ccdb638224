import test from 'ava'
import { errorsOf, load, saga, withSteps } from './fixture.ts'

test('times of commands that do not fit in or around the others are refused, each with its place', (t) => {
  const text = saga(`  start: { on: Started, key: event.id }\n  deadline: 1m\n  steps:
    - { name: a, command: Ship, compensate: none, timeout: 5s, within: 4999ms, with: { id: start.id } }
    - { name: b, command: Ship, compensate: none, within: 60s, with: { id: start.id } }
    - name: c
      command: Ship
      with: { id: start.id }
      compensate: { command: Refund, within: 9s, with: { id: start.id } }
    - { name: p, command: Ship, pivot: true, within: 366d, with: { id: start.id } }
    - { name: q, command: Ship, within: 5m, with: { id: start.id } }\n`)
  t.deepEqual(errorsOf(text), [
    "s.yaml:8:72 steps[0].within: 'within' of 4999ms is below the timeout of 5s, which it includes; raise it, or lower the timeout",
    "s.yaml:9:59 steps[1].within: 'within' of 1m is not below the saga's deadline of 1m, which holds anyway; lower it, or leave it out",
    "s.yaml:13:46 steps[2].compensate.within: 'within' of 9s is below the timeout of 10s, which it includes; raise it, or lower the timeout",
    "s.yaml:14:54 steps[3].within: '366d' is too long; the limit deadlineMsMax is 365d"
  ])
})

test('the time of a command is part of the revision only where it is said', (t) => {
  const of = (within: string) =>
    load(withSteps(`    - { name: a, command: Ship, compensate: none, ${within}with: { id: start.id } }\n`))
  const [none, long, written] = [of(''), of('within: 10m, '), of('within: 600s, ')]
  t.is(none.steps[0]!.withinMs, undefined)
  t.is(long.steps[0]!.withinMs, 600_000)
  t.not(none.revision, long.revision)
  t.is(long.revision, written.revision)
})
