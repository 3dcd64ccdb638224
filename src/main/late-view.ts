import { ParcomoloError } from '../base/index.ts'
import type {
  FilterBy,
  Mark,
  Page,
  PageRequest,
  Projection,
  RowWait,
  View,
  ViewHealth,
  ViewProgress,
  ViewQuery,
  ViewState,
  Waiter
} from '../view/index.ts'

/** The read model for whoever is there before it: until it is open it is catching up, and has no row to tell. */
export class LateView implements ViewQuery {
  #view: View | undefined
  #opening: Promise<View> | undefined
  #isClosed = false

  get isOpen(): boolean {
    return this.#view !== undefined
  }

  async open(open: () => Promise<View>): Promise<View> {
    this.#opening = open()
    const view = await this.#opening
    if (!this.#isClosed) this.#view = view
    return view
  }

  /** Another one takes the place of the one that has failed, when that is closed. */
  async reopen(open: () => Promise<View>): Promise<View> {
    const failed = this.#view
    this.#view = undefined
    return this.open(async () => {
      await failed?.close()
      return open()
    })
  }

  /** Also closes what turns out to be open only later, which is not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#view !== undefined) return this.#view.close()
    this.#opening?.then((view) => view.close()).catch(() => undefined)
  }

  state(): ViewState {
    return this.#view?.state() ?? 'catching-up'
  }

  isStalled(): boolean {
    return this.#view?.isStalled() ?? false
  }

  progress(): ViewProgress {
    return this.#view?.progress() ?? { done: 0, of: 0, secondsLeft: undefined }
  }

  health(): ViewHealth {
    return this.#view?.health() ?? nothingFolded
  }

  row<Row extends object>(of: Projection<Row>, key: string): Promise<Row | undefined> {
    return this.#opened.row(of, key)
  }

  list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Page<Row>> {
    return this.#opened.list(of, filter, page)
  }

  count(of: Projection): ReturnType<View['count']> {
    return this.#opened.count(of)
  }

  whenRow<Row extends object>(
    of: Projection<Row>,
    key: string,
    isMet: (row: Row) => boolean,
    wait: RowWait
  ): Waiter<Row> {
    return this.#opened.whenRow(of, key, isMet, wait)
  }

  whenAnswered(commandId: string, timeoutMs: number): ReturnType<View['whenAnswered']> {
    return this.#opened.whenAnswered(commandId, timeoutMs)
  }

  whenSeen(marks: readonly Mark[], timeoutMs: number): ReturnType<View['whenSeen']> {
    return this.#opened.whenSeen(marks, timeoutMs)
  }

  follows(mark: Mark): boolean {
    return this.#opened.follows(mark)
  }

  beyondEnd(marks: readonly Mark[]): ReturnType<View['beyondEnd']> {
    return this.#opened.beyondEnd(marks)
  }

  get #opened(): View {
    if (this.#view !== undefined) return this.#view
    throw new ParcomoloError('PARCOMOLO_VIEW_STORE_UNAVAILABLE', 'the read model is not open yet; try again shortly', {
      retryable: true
    })
  }
}

const nothingFolded: ViewHealth = {
  isCaughtUp: false,
  failure: undefined,
  storeFailure: undefined,
  stalledBy: undefined,
  skippedCount: 0,
  waiterCount: 0,
  changedRowCount: 0,
  positions: {}
}
