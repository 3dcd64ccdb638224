import type { OutgoingCommand } from '../http/index.ts'
import { catalogue } from '../service/inventory/index.ts'
import type { View } from '../view/index.ts'

const answerTimeoutMs = 10_000

/** Puts on the shelves what the shop sells when it opens; a SKU that is known is left as it is. */
export const fillCatalogue = async (
  view: View,
  sendCommand: (command: OutgoingCommand) => Promise<unknown>
): Promise<void> => {
  await Promise.all(
    catalogue.map(async (item) => {
      if ((await view.stock(item.sku)) !== undefined) return
      const id = `catalogue-${item.sku}`
      const answered = view.whenAnswered(id, answerTimeoutMs)
      await sendCommand({
        inbox: 'inventory-commands',
        key: item.sku,
        type: 'parcomolo.inventory.SetStock',
        value: item,
        id
      })
      await answered.done
    })
  )
}
