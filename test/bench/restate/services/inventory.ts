import { object, type ObjectContext } from '@restatedev/restate-sdk'

type Level = { onHand: number; reserved: number }
type State = { level: Level }

/** Stock, an object for each SKU. Restate lets a call through once, so that counts are all it needs to remember. */
export const inventory = object({
  name: 'inventory',
  handlers: {
    set: async (context: ObjectContext<State>, onHand: number): Promise<void> => {
      const { reserved } = await levelOf(context)
      context.set('level', { onHand, reserved })
    },

    reserve: async (context: ObjectContext<State>, quantity: number): Promise<boolean> => {
      const { onHand, reserved } = await levelOf(context)
      if (onHand - reserved < quantity) return false
      context.set('level', { onHand, reserved: reserved + quantity })
      return true
    },

    release: async (context: ObjectContext<State>, quantity: number): Promise<void> => {
      const { onHand, reserved } = await levelOf(context)
      context.set('level', { onHand, reserved: reserved - quantity })
    },

    dispatch: async (context: ObjectContext<State>, quantity: number): Promise<void> => {
      const { onHand, reserved } = await levelOf(context)
      context.set('level', { onHand: onHand - quantity, reserved: reserved - quantity })
    }
  }
})

const levelOf = async (context: ObjectContext<State>): Promise<Level> =>
  (await context.get('level')) ?? { onHand: 0, reserved: 0 }
