import type { Served, ServingParts } from '../application/index.ts'
import { aboutShop } from './about.ts'
import type { Flow } from './flow.ts'
import { Intake } from './intake/index.ts'
import { inventoryPrices } from './inventory/index.ts'
import { orderHealth } from './order/index.ts'
import { shopRoutes } from './routes.ts'
import { fillCatalogue, fillCatalogueBehind, isCatalogueKnown } from './shelves.ts'
import { Stockroom } from './stockroom.ts'

/** What it takes to sell, also while the read model is away. */
export const serveShop =
  (flow: Flow) =>
  async (parts: ServingParts): Promise<Served> => {
    const intake = await openIntake(parts)
    const stockroom = new Stockroom(parts.view, intake)
    const health = flow === 'orchestration' ? () => orderHealth(parts.sagas) : undefined
    const isStocked = (): Promise<boolean> => isCatalogueKnown(stockroom)
    return {
      http: {
        ...{ about: aboutShop(flow), intake },
        routes: shopRoutes({ flow, prices: intake, isStocked, ...(health && { health }) }),
        ...(health && { applicationHealth: () => [health()] })
      },
      onListening: async (caughtUp) => {
        if (health !== undefined) warnOfOrders(parts, health())
        await fillShelves(parts, stockroom, caughtUp)
      },
      // From where the view has come to, so that whoever waits for an answer at this moment gets it.
      onViewLost: () => intake.open()
    }
  }

/** Otherwise nobody would see it but in answers. */
const warnOfOrders = ({ diagnostics }: ServingParts, { ok, detail }: ReturnType<typeof orderHealth>): void => {
  if (!ok) diagnostics.report('warn', {}, `no order is taken yet: ${detail}`)
}

const openIntake = ({
  log,
  codec,
  clock,
  learn,
  view,
  isViewFollowing,
  opening,
  diagnostics
}: ServingParts): Promise<Intake> => {
  const intake = new Intake({
    ...{ log, codec, clock, prices: inventoryPrices },
    topics: ['order-events', 'stock-events'],
    isNeeded: () => !isViewFollowing(),
    // While it builds anew, nobody waits for it.
    followedTo: (place) => (view.state() === 'catching-up' ? undefined : view.health().positions[place]),
    onError: (error) => diagnostics.error(error, 'orders cannot be taken without the read model; it is tried again'),
    ...(learn && { learn })
  })
  return opening.take(
    'opening the journals of order and inventory',
    async () => {
      await opening.insist(
        () => intake.open(),
        (error) => diagnostics.waiting(error, 'the log')
      )
      return intake
    },
    async (it) => it.close()
  )
}

/** The first order should find something to buy; but nobody waits for an inventory that another process has. */
const fillShelves = async (
  { opening, diagnostics, clock, roles, sendCommand }: ServingParts,
  stockroom: Stockroom,
  caughtUp: Promise<void>
): Promise<void> => {
  await opening.step('reading the prices', () => stockroom.known(caughtUp))
  if (roles.includes('inventory')) {
    const sent = new Set<string>()
    const fill = (): Promise<unknown> => fillCatalogue(stockroom, sendCommand, sent)
    return void (await opening.step('filling the shelves', () =>
      opening.insist(fill, (error) => diagnostics.waiting(error, 'the inventory'))
    ))
  }
  const giveUp = fillCatalogueBehind({
    ...{ view: stockroom, sendCommand, clock },
    onWaiting: (skus) =>
      diagnostics.report('info', { skus }, 'the shelves are filled as soon as a process with the role inventory works'),
    onError: (error) => diagnostics.error(error, 'the shelves could not be filled; it is tried again')
  })
  opening.defer(giveUp)
}
