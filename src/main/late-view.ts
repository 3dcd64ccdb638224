import { ParcomoloError } from '../base/index.ts'
import type {
  Mark,
  OrderFilter,
  PageRequest,
  SagaFilter,
  View,
  ViewHealth,
  ViewProgress,
  ViewQuery,
  ViewState
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

  order(orderId: string): ReturnType<View['order']> {
    return this.#opened.order(orderId)
  }

  orders(filter: OrderFilter, page: PageRequest): ReturnType<View['orders']> {
    return this.#opened.orders(filter, page)
  }

  stock(sku: string): ReturnType<View['stock']> {
    return this.#opened.stock(sku)
  }

  allStock(page: PageRequest): ReturnType<View['allStock']> {
    return this.#opened.allStock(page)
  }

  saga(saga: string, key: string): ReturnType<View['saga']> {
    return this.#opened.saga(saga, key)
  }

  sagas(filter: SagaFilter, page: PageRequest): ReturnType<View['sagas']> {
    return this.#opened.sagas(filter, page)
  }

  countRunning(): ReturnType<View['countRunning']> {
    return this.#opened.countRunning()
  }

  whenPlaced(orderId: string, timeoutMs: number): ReturnType<View['whenPlaced']> {
    return this.#opened.whenPlaced(orderId, timeoutMs)
  }

  whenEnded(orderId: string, timeoutMs: number): ReturnType<View['whenEnded']> {
    return this.#opened.whenEnded(orderId, timeoutMs)
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
