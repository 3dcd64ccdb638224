import { setTimeout as wait } from 'node:timers/promises'
import { formatPosition } from '../../src/view/index.ts'
import { commandsAnOrder, type Range } from './commands.ts'
import { placesOf } from './following.ts'
import { judge, schemasAt } from './judge.ts'
import { Neighbour } from './neighbour.ts'
import { Orders, orderIdOf } from './orders.ts'
import type { Result } from './result.ts'
import { Shoppers } from './shoppers.ts'
import { type ShopRole, Stage } from './stage.ts'
import { untilShown } from './view-reads.ts'

export type AwayPlan = {
  readonly role: ShopRole
  /** Orders that are placed while it is away. */
  readonly orders: number
  readonly warmupSeconds: number
  readonly usualSeconds: number
  /** It stays away at least so long. */
  readonly awaySeconds: number
  /** Without an order placed or ended for so long the case is given up. */
  readonly patienceSeconds: number
}

/**
 * A role goes away, orders are placed, and it comes back: what it costs until all of them have ended, against what
 * orders cost as usual on the same processes, just before and after.
 */
export const roleAway = async (resources: AsyncDisposableStack, plan: AwayPlan): Promise<Result> => {
  const away = await Away.open(resources, plan)
  await away.warmUp()
  const before = await away.usual('as usual')
  await away.leave()
  const back = await away.comeBack()
  const after = away.isGivenUp ? before : await away.usual('afterwards')
  await away.untilQuiet()
  return { ...(await away.account([before, after], back)), name: `${plan.role} away` }
}

type Usual = { readonly perSecond: number; readonly orders: Range }
type Back = Usual & { readonly firstMs: number; readonly doneMs: number }

class Away {
  readonly #plan: AwayPlan
  readonly #stage: Stage
  readonly #orders: Orders
  readonly #neighbour: Neighbour
  readonly #shoppers: Shoppers
  /** How many orders there were when it went. */
  #before = { sent: 0, placed: 0, ended: 0 }
  readonly #wrong: string[] = []

  static async open(resources: AsyncDisposableStack, plan: AwayPlan): Promise<Away> {
    const stage = await Stage.open(resources)
    await stage.start()
    const orders = await Orders.follow(resources, stage.access)
    const neighbour = await Neighbour.open(resources, stage.access)
    return new Away({ plan, stage, orders, neighbour, shoppers: new Shoppers(resources, stage.process('view')) })
  }

  private constructor(parts: {
    plan: AwayPlan
    stage: Stage
    orders: Orders
    neighbour: Neighbour
    shoppers: Shoppers
  }) {
    this.#plan = parts.plan
    this.#stage = parts.stage
    this.#orders = parts.orders
    this.#neighbour = parts.neighbour
    this.#shoppers = parts.shoppers
  }

  get isGivenUp(): boolean {
    return this.#stage.isGivenUp || this.#wrong.length > 0
  }

  async warmUp(): Promise<void> {
    await this.#orders.saturate(this.#plan.warmupSeconds)
    await this.#until(() => this.#orders.areDone)
  }

  /** A saturated run. */
  async usual(phase: string): Promise<Usual> {
    this.#enter(phase)
    const from = this.#orders.sent
    const perSecond = await this.#orders.saturate(this.#plan.usualSeconds)
    await this.#until(() => this.#orders.areDone)
    return { perSecond, orders: { from, to: this.#orders.sent } }
  }

  /** Stops the role, and has orders placed; resolves when whoever can has taken them, and the time is over. */
  async leave(): Promise<void> {
    const { role, orders, awaySeconds } = this.#plan
    const { sent, placed, ended } = this.#orders
    this.#before = { sent, placed, ended }
    await this.#stage.process(role).stop()
    this.#enter('away')
    const over = wait(awaySeconds * 1000)
    await this.#orders.place(orders)
    if (role !== 'order') await this.#until(() => this.#orders.placed - this.#before.placed >= orders)
    await over
  }

  async comeBack(): Promise<Back> {
    const { role } = this.#plan
    this.#enter('back')
    this.#orders.mark()
    this.#shoppers.mark()
    const since = performance.now()
    const process = this.#stage.process(role)
    // Its deaths tell why it did not.
    process.start().catch(() => undefined)
    await this.#until(() => this.#orders.areDone)
    if (role === 'view') await this.#untilRead(process.url)
    const doneMs = (role === 'view' ? performance.now() : this.#orders.lastEndedAt) - since
    const firstMs = ((role === 'view' ? this.#shoppers.firstAt : this.#orders.firstEndedAt) ?? Number.NaN) - since
    const working = (doneMs - (role === 'view' ? 0 : firstMs)) / 1000
    const { sent, ended } = this.#before
    return {
      firstMs,
      doneMs,
      perSecond: (this.#orders.ended - ended) / working,
      orders: { from: sent, to: this.#orders.sent }
    }
  }

  /** Those who ask ask no more, and have their answers. */
  async untilQuiet(): Promise<void> {
    this.#neighbour.stop()
    this.#shoppers.stop()
    await this.#until(() => this.#neighbour.isQuiet && this.#shoppers.isQuiet && this.#orders.open === 0)
  }

  async account([before, after]: readonly [Usual, Usual], back: Back): Promise<Omit<Result, 'name'>> {
    const { orders } = this.#plan
    const { run, sent } = this.#orders
    const { orderIds: acknowledged } = this.#shoppers
    const { registryUrl } = this.#stage.config
    const { log } = this.#stage.access
    const judged = await judge({ log, sent: { run, orders: sent }, acknowledged, schemas: schemasAt(registryUrl!) })
    const letters = await this.#stage.deadLetters()
    return {
      waiting: orders,
      ended: orders - (sent - judged.ended),
      lives: this.#stage.lives,
      commands: await commandsAnOrder(log, run, { usual: before.orders, here: back.orders }),
      rate: { usual: (before.perSecond + after.perSecond) / 2, here: back.perSecond, min: rateMin },
      firstMs: back.firstMs,
      doneMs: back.doneMs,
      others: { 'sagas of the neighbour': this.#neighbour.phases.all, 'orders by REST': this.#shoppers.phases.all },
      wrong: [...this.#wrong, ...judged.wrong, ...(letters === 0 ? [] : [`there are ${letters} dead letters`])]
    }
  }

  /** The last orders of all: who shows these has read what came before. */
  async #untilRead(url: string): Promise<void> {
    const { run, sent } = this.#orders
    const orders = Array.from({ length: 50 }, (_, i) => ({ orderId: orderIdOf(run, sent - 1 - i) }))
    const isOver = (): boolean => this.#stage.isGivenUp
    const patienceMs = this.#plan.patienceSeconds * 5_000
    const position = await this.#writtenUntilNow('order-events')
    this.#wrong.push(...(await untilShown({ url, orders, position, isOver, patienceMs })))
  }

  /** The last record of each partition, as a request names a position. */
  async #writtenUntilNow(topic: string): Promise<string> {
    const { log } = this.#stage.access
    const ends = await Promise.all(placesOf(log, topic).map(async (place) => ({ ...place, end: await log.end(place) })))
    return formatPosition(ends.flatMap((it) => (it.end === 0 ? [] : [{ ...it, offset: it.end - 1 }])))
  }

  #enter(phase: string): void {
    this.#neighbour.phases.enter(phase)
    this.#shoppers.phases.enter(phase)
  }

  /** Until it is so; or not, where a process has died too often, or no order has moved for too long. */
  async #until(isSo: () => boolean): Promise<void> {
    let [moved, at] = [-1, 0]
    while (!isSo()) {
      const { placed, ended } = this.#orders
      if (placed + ended !== moved) [moved, at] = [placed + ended, performance.now()]
      const isOver = performance.now() - at > this.#plan.patienceSeconds * 1000
      if (isOver) this.#wrong.push(`nothing has moved for ${this.#plan.patienceSeconds} s`)
      if (isOver || this.#stage.isGivenUp) return
      await this.#orders.change()
    }
  }
}

/** Of the usual rate, behind a backlog. */
const rateMin = 0.8
