import { setTimeout as wait } from 'node:timers/promises'
import { usageOf } from '../bench/parcomolo.ts'
import { type WrittenJournals, writeJournals } from './journals.ts'
import type { Result } from './result.ts'
import { Stage } from './stage.ts'
import { untilShown } from './view-reads.ts'

export type NewViewPlan = { readonly orders: number; readonly patienceSeconds: number }

/**
 * A view that has nothing, behind the journals of so many orders: it reads all of them, and has saved what it has made
 * of them when it stops. Then another one, which has nothing either.
 */
export const newViews = async (
  resources: AsyncDisposableStack,
  { orders, patienceSeconds }: NewViewPlan
): Promise<readonly Result[]> => {
  const stage = await Stage.open(resources)
  const written = await writeJournals(stage.access.log, stage.access.codec, { orders })
  const run = async (name: string): Promise<Result> => {
    const view = await stage.add('view')
    const since = performance.now()
    // Its deaths tell why it did not.
    view.start().catch(() => undefined)
    const isOver = (): boolean => view.isGivenUp
    const patienceMs = patienceSeconds * 10_000
    const wrong = await untilShown({ url: view.url, orders: lastOf(written, orders), isOver, patienceMs })
    const doneMs = isOver() ? Number.NaN : performance.now() - since
    if (!isOver()) await untilNothingIsWritten(view.url)
    await view.stop()
    return { name, waiting: orders, lives: [view.lives], doneMs, others: {}, wrong }
  }
  const built = await run('a new view, by journals')
  const loaded = await run('a new view, from a snapshot')
  const rate = { usual: builtPerSecond, here: orders / (built.doneMs! / 1000), min: 1 }
  return [
    { ...built, rate },
    { ...loaded, doneMsMax: snapshotMsMax }
  ]
}

/** DESIGN's goals. */
const builtPerSecond = 10_000
const snapshotMsMax = 15_000

/** The last ones, and some of all the others. */
const lastOf = ({ orderId, isDeclined }: WrittenJournals, orders: number) => {
  const last = Array.from({ length: Math.min(orders, 50) }, (_, i) => orders - 1 - i)
  const others = Array.from({ length: 200 }, (_, i) => Math.floor((i * orders) / 200))
  return [...others, ...last].map((number) => ({
    orderId: orderId(number),
    status: isDeclined(number) ? 'REJECTED' : 'COMPLETED'
  }))
}

/** A view writes to the log only what another one may start from. */
const untilNothingIsWritten = async (url: string): Promise<void> => {
  const written = async (): Promise<number> => (await usageOf(url)).producedBatches ?? 0
  for (let [before, after] = [-1, await written()]; before !== after;) {
    await wait(quietMs)
    ;[before, after] = [after, await written()]
  }
}

const quietMs = 5_000
