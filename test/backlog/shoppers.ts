import { post, requestBody, type Shop } from '../e2e/shop-client.ts'
import { Phases } from './phases.ts'

const everyMs = 200

/** People who order over REST meanwhile, five a second whether or not the others are served. */
export class Shoppers {
  readonly phases = new Phases()
  /** Of every 201. */
  readonly orderIds: string[] = []
  /** By `performance.now()`: the first 201 since `mark`. */
  firstAt: number | undefined
  readonly #shop: Shop
  #asking = 0
  readonly #timer: NodeJS.Timeout

  constructor(resources: AsyncDisposableStack, shop: Shop) {
    this.#shop = shop
    this.#timer = setInterval(() => void this.#order(), everyMs)
    resources.defer(() => clearInterval(this.#timer))
  }

  mark(): void {
    this.firstAt = undefined
  }

  /** Nobody asks any more, and those who have are told. */
  stop(): void {
    clearInterval(this.#timer)
  }

  get isQuiet(): boolean {
    return this.#asking === 0
  }

  async #order(): Promise<void> {
    const done = this.phases.begin()
    this.#asking++
    try {
      const { status, body } = await post(this.#shop, '/orders', requestBody('tok_visa'))
      if (status === 201) {
        this.orderIds.push(String(body['orderId']))
        this.firstAt ??= performance.now()
      }
      done(status !== 201)
    } catch {
      done(true)
    } finally {
      this.#asking--
    }
  }
}
