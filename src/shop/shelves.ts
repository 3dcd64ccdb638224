import type { Clock } from '../base/index.ts'
import type { OutgoingCommand } from '../http/index.ts'
import { catalogue } from './inventory/index.ts'
import type { Waiter } from '../view/index.ts'

/** What tells which SKUs there are, and what the inventory answers. */
type Stock = {
  stock(sku: string): Promise<object | undefined>
  whenAnswered(commandId: string, timeoutMs: number): Waiter<unknown>
}

type SendCommand = (command: OutgoingCommand) => Promise<unknown>

const answerTimeoutMs = 10_000

/**
 * Puts on the shelves what the shop sells when it opens; a SKU that is known is left as it is. Resolves with those that
 * the inventory has not answered for in time: their commands are in its inbox. `sent` keeps the SKUs whose command was
 * sent, for another try to leave them out: it must not bring back what somebody has set in between.
 */
export const fillCatalogue = async (
  view: Stock,
  sendCommand: SendCommand,
  sent: Set<string> = new Set()
): Promise<readonly string[]> => {
  const fill = async (item: (typeof catalogue)[number]): Promise<boolean> => {
    if (sent.has(item.sku) || (await view.stock(item.sku)) !== undefined) return true
    const id = `catalogue-${item.sku}`
    const answered = view.whenAnswered(id, answerTimeoutMs)
    try {
      await sendCommand({
        inbox: 'inventory-commands',
        key: item.sku,
        type: 'parcomolo.inventory.SetStock',
        value: item,
        id
      })
    } catch (error) {
      answered.cancel()
      throw error
    }
    sent.add(item.sku)
    return (await answered.done) !== undefined
  }
  const filled = await Promise.allSettled(catalogue.map(fill))
  for (const outcome of filled) if (outcome.status === 'rejected') throw outcome.reason
  return catalogue.filter((_, i) => !(filled[i] as { value?: boolean }).value).map(({ sku }) => sku)
}

/** Whether the inventory has what the shop sells when it opens: then it has begun to work. */
export const isCatalogueKnown = async (view: Stock): Promise<boolean> => {
  const rows = await Promise.all(catalogue.map(({ sku }) => view.stock(sku)))
  return rows.every((row) => row !== undefined)
}

export type FillingDeps = {
  readonly view: Stock
  readonly sendCommand: SendCommand
  readonly clock: Clock
  /** The inventory has not answered for these: they go on sale when it works. */
  readonly onWaiting: (skus: readonly string[]) => void
  /** The log has not taken all commands, and is asked again. */
  readonly onError: (error: unknown) => void
}

const retryMs = 5_000

/** The same where the inventory may run in no process yet: nobody waits for it. Gives a function that gives up. */
export const fillCatalogueBehind = ({ view, sendCommand, clock, onWaiting, onError }: FillingDeps): (() => void) => {
  const sent = new Set<string>()
  let isGivenUp = false
  let cancel = (): void => undefined
  const attempt = async (): Promise<void> => {
    try {
      const waiting = await fillCatalogue(view, sendCommand, sent)
      if (waiting.length > 0 && !isGivenUp) onWaiting(waiting)
    } catch (error) {
      if (isGivenUp) return
      onError(error)
      cancel = clock.at(clock.now() + retryMs, () => void attempt())
    }
  }
  void attempt()
  return () => {
    isGivenUp = true
    cancel()
  }
}
