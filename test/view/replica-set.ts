import type { ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { orders, shopLayout, stock, viewTopics } from '../helpers/shop-parts.ts'
import { openView, timelineEntries, type View, type ViewDeps, type ViewStore } from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { type Journals, openJournals } from './journals.ts'
import { type Grip, gripOn, type Holdable, holdable } from './shared-store.ts'
import type { OrderRow } from '../../src/shop/order/index.ts'
import { sagas } from '../../src/view/sagas.ts'

/** Several views that follow one log and share a store, as several processes would. */

/** `test` or `test.serial`. */
export type Declare = (title: string, run: (t: ExecutionContext) => Promise<void>) => void

/** A store that any number of views may have open. */
export type SharedStore = { readonly open: () => Promise<ViewStore>; readonly close: () => Promise<void> }

export type Replica = {
  readonly view: View
  readonly grip: Grip
  /** Keeps these journals from it. */
  readonly hold: Holdable['hold']
  readonly release: Holdable['release']
}

export type Shared = {
  readonly journals: Journals
  readonly replica: (options?: Partial<ViewDeps>) => Promise<Replica>
  /** The store holds what a new one has that folds the same journals. */
  readonly expectTrue: (t: ExecutionContext) => Promise<void>
}

export type WithShared = (run: (shared: Shared) => Promise<void>) => Promise<void>

export const sharedUser =
  (openShared: () => Promise<SharedStore>): WithShared =>
  async (run) => {
    const journals = await openJournals()
    const shared = await openShared()
    const opened: View[] = []
    const replica = async (options: Partial<ViewDeps> = {}): Promise<Replica> => {
      const grip = gripOn(await shared.open())
      const { log, hold, release } = holdable(journals.log)
      const view = await openView({ ...depsOf(journals), log, store: grip.store, ...options })
      opened.push(view)
      await view.caughtUp
      return { view, grip, hold, release }
    }
    const expectTrue = async (t: ExecutionContext): Promise<void> => {
      const store = await shared.open()
      const fresh = await openSqliteViewStore(':memory:', shopLayout)
      const view = await openView({ ...depsOf(journals), store: fresh })
      await view.caughtUp
      await view.list(orders, {}, { limit: 1 })
      t.deepEqual(await contentOf(store), await contentOf(fresh))
      await view.close()
      await store.close()
    }
    try {
      await run({ journals, replica, expectTrue })
    } finally {
      for (const view of opened) await view.close()
      await shared.close()
      await journals.close()
    }
  }

const depsOf = ({ log, codec }: Journals) =>
  ({ log, codec, topics: Object.values(viewTopics), clock: systemClock }) as const

const contentOf = async (store: ViewStore) => {
  const page = { limit: 10_000 }
  const { positions } = await store.moment()
  return {
    orders: (await store.list(orders, {}, page)).found.rows.map(asRead),
    sagas: (await store.list(sagas, {}, page)).found.rows,
    stock: (await store.list(stock, {}, page)).found.rows,
    positions: Object.fromEntries([...positions].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** An order as readers see it: how its timeline is kept depends on how the journals were read. */
export const asRead = (row: OrderRow): object => ({
  ...row,
  timeline: timelineEntries(row.timeline)
})

/** Until the view has folded all that is there, in all journals or in this one. */
export const caughtUp = async ({ view }: Replica, { log }: Journals, only?: string): Promise<void> => {
  const marks = []
  for (const topic of only === undefined ? Object.values(viewTopics) : [only]) {
    const end = await log.end({ topic, partition: 0 })
    if (end > 0) marks.push({ topic, partition: 0, offset: end - 1 })
  }
  if (marks.length > 0) await view.whenSeen(marks, 10_000).done
}
