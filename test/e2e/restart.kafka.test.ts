import test from 'ava'
import { type RestartRun, runRestarts } from '../bench/restart-run.ts'
import { brokers } from '../helpers/kafka.ts'

const events = 60_000
/** With a million events and snapshots, until the first decision, on a machine that does nothing else. */
const goalMs = 2_000

const shown = ({ found, start: { firstMs, report } }: RestartRun): string =>
  `${found}: first decision after ${firstMs.toFixed(0)} ms, ${(report.fetchedBytes / 1e6).toFixed(1)} MB read`

if (brokers === undefined) test.skip('restarts: KAFKA_BROKERS names no broker', () => undefined)
else testRestarts(brokers)

function testRestarts(named: readonly string[]): void {
  test('whatever of its snapshots and its archive a component finds, it answers the same', async (t) => {
    t.timeout(300_000)
    const runs: RestartRun[] = []
    for await (const run of runRestarts(named, events)) {
      t.log(shown(run))
      t.deepEqual(run.wrong.slice(0, 5), [], run.found)
      runs.push(run)
    }
    t.deepEqual(
      runs.map(({ found }) => found),
      ['nothing', 'snapshots', 'archive', 'lost']
    )

    const asked = [...runs[0]!.answers.keys()].filter((name) => runs.every(({ answers }) => answers.has(name)))
    t.true(new Set(asked.map((name) => name.split(' ')[1])).size > 500)
    const given = runs.map(({ answers }) => asked.map((name) => answers.get(name)))
    for (const answers of given.slice(1)) t.deepEqual(answers, given[0])

    const [nothing, snapshots] = runs.map(({ start }) => start)
    t.true(snapshots!.firstMs < 3 * goalMs)
    t.true(snapshots!.report.fetchedBytes < nothing!.report.fetchedBytes / 4)
    for (const { start } of runs) t.true(start.firstMs < 10 * goalMs)
  })
}
