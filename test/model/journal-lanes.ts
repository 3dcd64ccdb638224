/**
 * What begins with an input, and what of it is put off while there is no room: in worlds with `putOffs`. All that is
 * put off is one lane, from the first on.
 */
import { type Batch, nameOf, type Owner, type World } from './journal-state.ts'

/** What a batch begins, and the first that is still put off after it; where nothing is, the next input. */
export type Beginning = Pick<Batch, 'begins' | 'lane'> & { readonly isPutOff: boolean }

/** What may follow from the inputs of a batch; where it has none, the first that was put off begins. */
export const beginnings = (world: World, owner: number, from: number, to: number): Beginning[] => {
  if (world.bounds.putOffs === undefined) return [{ begins: [], lane: 0, isPutOff: false }]
  const lane = laneOf(world, owner)
  if (from === to) return lane < from ? [fromLane(world, lane)] : []
  if (lane < from) return [{ begins: world.has('putOffInOrder') ? [] : range(from, to), lane, isPutOff: false }]
  const begun = { begins: range(from, to), lane: to, isPutOff: false }
  return world.state.left.putOffs === 0 ? [begun] : [begun, { begins: [], lane: from, isPutOff: true }]
}

const fromLane = (world: World, lane: number): Beginning => ({
  begins: [lane],
  lane: world.has('laneMovesWithBatch') ? lane + 1 : lane,
  isPutOff: false
})

/** What it has done itself it knows, of what was before only what the batches say. */
const laneOf = (world: World, owner: number): number => {
  const self = world.state.owners[owner]!
  const batches = [...self.known, ...self.pending.map(({ batch }) => batch)].filter((batch) => !batch.isFence)
  const last = batches.at(-1)
  if (last === undefined) return 0
  if (isOwn(owner, self, last)) return (last.begins.at(-1) ?? last.lane - 1) + 1
  return world.has('laneInBatch') ? last.lane : last.to
}

const isOwn = (owner: number, { epoch }: Owner, { id }: Batch): boolean => id.startsWith(`${nameOf(owner)}${epoch}.`)

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
