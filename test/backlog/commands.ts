import type { Log } from '../../src/log/index.ts'
import { inboxes } from '../helpers/shop-parts.ts'
import { placesOf } from './following.ts'
import { readAll } from './judge.ts'
import { numberOf } from './orders.ts'

/** Orders of a run by their numbers, from one on and before another. */
export type Range = { readonly from: number; readonly to: number }

export type Commands = Readonly<Record<string, { readonly usual: number; readonly here: number }>>

/** Records an order on each inbox, however often the same command was sent. */
export const commandsAnOrder = async (
  log: Log,
  run: string,
  { usual, here }: { readonly usual: Range; readonly here: Range }
): Promise<Commands> => {
  const found: Record<string, { usual: number; here: number }> = {}
  for (const inbox of inboxes) {
    const count = { usual: 0, here: 0 }
    for (const place of placesOf(log, inbox))
      await readAll(log, place, ({ key }) => {
        const number = numberOf(run, key)
        if (isIn(usual, number)) count.usual++
        if (isIn(here, number)) count.here++
      })
    found[inbox] = { usual: count.usual / sizeOf(usual), here: count.here / sizeOf(here) }
  }
  return found
}

const isIn = ({ from, to }: Range, number: number): boolean => from <= number && number < to

const sizeOf = ({ from, to }: Range): number => to - from
