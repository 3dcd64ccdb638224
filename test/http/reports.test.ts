import test from 'ava'
import { Reports } from '../../src/http/reports.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

const stage = () => {
  const clock = new VirtualClock(1_000_000)
  const lines: [facts: object, message: string][] = []
  const tell = (facts: object, message: string): void => void lines.push([facts, message])
  const log = { warn: tell, error: tell } as unknown as ConstructorParameters<typeof Reports>[0]
  return { clock, lines, reports: new Reports(log, clock) }
}

test('refusals are told once, and counted once a second', (t) => {
  const { clock, lines, reports } = stage()
  const refuse = (i: number): void => reports.refused('PARCOMOLO_HTTP_NOT_READY', { requestId: `r${i}` }, 'not yet')
  for (let i = 0; i < 10_000; i++) refuse(i)
  t.deepEqual(lines, [[{ code: 'PARCOMOLO_HTTP_NOT_READY', requestId: 'r0' }, 'not yet']])
  clock.advance(1_000)
  t.deepEqual(lines[1]?.[0], { code: 'PARCOMOLO_HTTP_NOT_READY', count: 9_999 })
  refuse(0)
  clock.advance(1_000)
  t.is(lines.length, 3, 'nothing more is said of a second in which nothing was left out')
})

test('each failure is told until there are many, each code by itself, and an address only in part', (t) => {
  const { lines, reports } = stage()
  const url = `/${'x'.repeat(15_000)}`
  for (let i = 0; i < 100; i++) reports.failed('PARCOMOLO_HTTP_INTERNAL', { requestId: `r${i}`, url }, 'failed')
  t.is(lines.length, 20)
  reports.unknown('PARCOMOLO_HTTP_OUTCOME_UNKNOWN', { requestId: 'r', url }, 'unknown')
  t.is(lines.length, 21)
  t.true(lines.every(([facts]) => (facts as { url: string }).url.length === 200))
})
