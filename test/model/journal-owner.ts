/** What a process can do that owns the task, or takes itself for its owner. */
import type { Step } from './explore.ts'
import { type Beginning, beginnings } from './journal-lanes.ts'
import {
  type Append,
  basisOf,
  type Batch,
  type Command,
  down,
  fault,
  journalOf,
  makeBatch,
  nameOf,
  type Owner,
  type State,
  spend,
  step,
  withEpoch,
  withOwner,
  type World
} from './journal-state.ts'

export const ownerSteps = (world: World, owner: number): Step<State>[] => {
  const { state, bounds } = world
  const self = state.owners[owner]!
  if (self.phase === 'down') return claims(world, owner)
  const steps = [...(isTooLate(world, owner) ? ends(world, owner) : retries(world, owner)), ...resends(world, owner)]
  if (self.phase === 'working') {
    steps.push(
      ...(self.isLate && world.has('provesWhenLate') ? proofs(world, owner) : decisions(world, owner)),
      ...forwards(world, owner),
      ...snapshots(world, owner),
      ...commits(world, owner)
    )
  }
  if (bounds.variant === 'kafka' && state.left.crashes > 0) {
    steps.push(fault(() => `${nameOf(owner)} crashes`, spend(withOwner(state, owner, down), 'crashes')))
  }
  return steps
}

/** It has an append without an answer from before its sleep. */
const isTooLate = ({ state, has }: World, owner: number): boolean =>
  has('neverSentLate') && state.owners[owner]!.isLate && state.owners[owner]!.pending.length > 0

const ends = ({ state }: World, owner: number): Step<State>[] => [
  step(() => `${nameOf(owner)} ends, as its batch left too long ago`, withOwner(state, owner, down))
]

/** Before it appends again after a sleep; what it proves holds from then on. */
const proofs = (world: World, owner: number): Step<State>[] => {
  const { state, has } = world
  const self = state.owners[owner]!
  if (self.pending.length > 0) return []
  const isClaimed = state.owning >= 0 && state.owning !== self.epoch
  const isMoved = journalOf(state).length !== self.known.length
  if ((has('renewsWhenLate') && isClaimed) || (has('endWhenLate') && isMoved))
    return [step(() => `${nameOf(owner)} ends, as it is the owner no more`, withOwner(state, owner, down))]
  const label = (): string => `${nameOf(owner)} proves that it is the owner`
  if (!has('renewsWhenLate')) return [step(label, withOwner(state, owner, { isLate: false }))]
  const renewed = withEpoch(state)
  const { epoch } = renewed
  return [step(label, withOwner(renewed, owner, { isLate: false, epoch, nextSequence: 0 }))]
}

const claims = (world: World, owner: number): Step<State>[] => {
  const { state } = world
  const otherWorks = state.owners[1 - owner]!.phase !== 'down'
  if (otherWorks && state.left.takeovers === 0) return []
  // Where both are down they are alike, so it is enough to follow A.
  if (!otherWorks && owner === 1) return []
  const next = claimed(world, owner)
  const label = (): string =>
    `${nameOf(owner)} claims the journal (epoch ${next.epoch})${world.has('fences') ? ' and sends its fence' : ''}`
  return [otherWorks ? fault(label, spend(next, 'takeovers')) : step(label, next)]
}

const claimed = (world: World, owner: number): State => {
  const raised = withEpoch(world.state)
  const { epoch } = raised
  const base = withOwner(raised, owner, { ...down, epoch, phase: 'fencing' })
  if (!world.has('fences')) return recovered(world, base, owner, journalOf(base))
  const id = `${nameOf(owner)}${epoch}.0`
  const batch = makeBatch({ id, isFence: true, from: 0, to: 0, forwarded: 0, basis: '', begins: [], lane: 0 })
  const append: Append = { owner, epoch, sequence: 0, batch }
  const sent = withOwner({ ...base, appends: [...base.appends, append] }, owner, { pending: [append], nextSequence: 1 })
  return world.has('readsBehindFence') ? sent : recovered(world, sent, owner, journalOf(sent))
}

/** Reads snapshot and journal, and takes up work. */
export const recovered = (world: World, state: State, owner: number, journal: readonly Batch[]): State => {
  const { snapshot } = state
  const replayFrom = world.has('versionRespected') ? Math.max(snapshot.marker, snapshot.version) : snapshot.marker
  const known = [...snapshot.known, ...journal.slice(replayFrom)]
  const recorded = known.findLast((batch) => !batch.isFence)?.forwarded ?? 0
  const sendNext = world.has('forwardsTheRest') ? recorded : known.length
  return withOwner(state, owner, {
    phase: 'working',
    known,
    sendNext,
    resumedAt: sendNext,
    uncommitted: state.committed
  })
}

const retries = (world: World, owner: number): Step<State>[] => {
  const { state } = world
  return state.owners[owner]!.pending.flatMap((append, index) => {
    const isUnderWay = state.appends.some(({ batch }) => batch.id === append.batch.id)
    if (isUnderWay && state.left.duplicates === 0) return []
    const again = retried(world, owner, append)
    const pending = state.owners[owner]!.pending.with(index, again)
    const next = withOwner({ ...state, appends: [...state.appends, again] }, owner, {
      pending,
      nextSequence: Math.max(state.owners[owner]!.nextSequence, again.sequence + 1)
    })
    const label = (): string => `${nameOf(owner)} sends ${describe(again.batch)} again`
    return [isUnderWay ? fault(label, spend(next, 'duplicates')) : step(label, next)]
  })
}

const retried = (world: World, owner: number, append: Append): Append => {
  const self = world.state.owners[owner]!
  if (append.batch.isFence) return append
  if (!world.has('retriesSameSequence')) {
    const sequence = self.nextSequence
    return {
      ...append,
      sequence,
      batch: makeBatch({ ...append.batch, id: `${nameOf(owner)}${append.epoch}.${sequence}` })
    }
  }
  if (!world.has('retriesSameBytes'))
    return { ...append, batch: makeBatch({ ...append.batch, to: world.bounds.inputs }) }
  return append
}

const decisions = (world: World, owner: number): Step<State>[] => {
  const { state, bounds } = world
  const self = state.owners[owner]!
  if (self.pending.length > (world.has('oneInFlight') ? 0 : 1)) return []
  const folded = world.has('positionsInBatch') ? positionOf(self.known) : self.uncommitted
  const from = self.pending.at(-1)?.batch.to ?? folded
  return Array.from({ length: bounds.inputs - from + 1 }, (_, i) => from + i).flatMap((to) => {
    if (to === from && bounds.putOffs === undefined) return []
    return beginnings(world, owner, from, to).map((beginning) => decision(world, owner, { from, to, ...beginning }))
  })
}

type Decision = Beginning & Pick<Batch, 'from' | 'to'>

const decision = (world: World, owner: number, { isPutOff, ...covered }: Decision): Step<State> => {
  const { state } = world
  const self = state.owners[owner]!
  const append = decided(world, owner, covered)
  const next = withOwner({ ...state, appends: [...state.appends, append] }, owner, {
    pending: [...self.pending, append],
    nextSequence: self.nextSequence + 1
  })
  const label = (): string => `${nameOf(owner)} decides ${describe(append.batch)} and sends it`
  return isPutOff ? fault(label, spend(next, 'putOffs')) : step(label, next)
}

const decided = (world: World, owner: number, covered: Omit<Decision, 'isPutOff'>): Append => {
  const self = world.state.owners[owner]!
  const forwarded = world.has('forwardedNotAhead') ? forwardedOf(self) : self.sendNext
  const id = `${nameOf(owner)}${self.epoch}.${self.nextSequence}`
  const batch = makeBatch({ id, isFence: false, ...covered, forwarded, basis: basisOf(self.known) })
  return { owner, epoch: self.epoch, sequence: self.nextSequence, batch }
}

const describe = (batch: Batch): string =>
  batch.isFence
    ? `its fence ${batch.id}`
    : `batch ${batch.id} (inputs ${batch.from}..${batch.to - 1}, ${begun(batch)}` +
      `forwarded ${batch.forwarded}, on [${batch.basis}])`

const begun = ({ begins, lane, to }: Batch): string =>
  (begins.length > 0 ? `begins ${begins.join()}, ` : '') + (lane < to ? `put off from ${lane}, ` : '')

const forwards = (world: World, owner: number): Step<State>[] => {
  const { state } = world
  const self = state.owners[owner]!
  if (self.sending.length > (world.has('stopAndWait') ? 0 : 1)) return []
  const pending = world.has('forwardsAcknowledged') ? [] : self.pending.map((append) => append.batch)
  const known = [...self.known, ...pending]
  const index = known.findIndex((batch, i) => i >= self.sendNext && !batch.isFence)
  if (index < 0) return []
  const sequence = world.has('sequenceIsOffset') ? index : index - self.resumedAt
  const send: Command = { owner, epoch: self.epoch, index, sequence, id: known[index]!.id }
  const next = withOwner({ ...state, sends: [...state.sends, send] }, owner, {
    sending: [...self.sending, send],
    sendNext: index + 1
  })
  return [step(() => `${nameOf(owner)} sends the command of ${send.id} (sequence ${sequence}) to the inbox`, next)]
}

const resends = (world: World, owner: number): Step<State>[] => {
  const { state } = world
  return state.owners[owner]!.sending.flatMap((send) => {
    const isUnderWay = state.sends.some(({ id, epoch }) => id === send.id && epoch === send.epoch)
    if (isUnderWay && state.left.duplicates === 0) return []
    const next = { ...state, sends: [...state.sends, send] }
    const label = (): string => `${nameOf(owner)} sends the command of ${send.id} again`
    return [isUnderWay ? fault(label, spend(next, 'duplicates')) : step(label, next)]
  })
}

/** Only where `positionsInBatch` is dropped: the position is committed by itself, after the batch. */
const commits = (world: World, owner: number): Step<State>[] => {
  const self = world.state.owners[owner]!
  if (world.has('positionsInBatch') || self.uncommitted <= world.state.committed) return []
  const next = { ...world.state, committed: self.uncommitted }
  return [step(() => `${nameOf(owner)} commits its input position ${self.uncommitted}`, next)]
}

const snapshots = (world: World, owner: number): Step<State>[] => {
  const { state } = world
  const self = state.owners[owner]!
  const isRefused = world.has('snapshotFenced') && self.epoch < state.snapshotEpoch
  if (isRefused) return []
  return self.snapshotAt === undefined ? beginSnapshot(world, owner) : [endSnapshot(world, owner, self.snapshotAt)]
}

const beginSnapshot = (world: World, owner: number): Step<State>[] => {
  const { state, bounds } = world
  const self = state.owners[owner]!
  const held = world.has('snapshotNotAhead')
    ? self.known
    : [...self.known, ...self.pending.map((append) => append.batch)]
  const isDurable = bounds.variant === 'kafka' || durableBatches(state) >= held.length || !world.has('snapshotDurable')
  if (state.left.snapshots === 0 || held.length <= state.snapshot.marker || !isDurable) return []
  const written = world.has('markerLast') ? entityWritten(state, held) : markerWritten(state, held.length)
  const next = withOwner(spend(written, 'snapshots'), owner, { snapshotAt: held.length })
  const what = world.has('markerLast') ? 'an entity for' : 'the marker for'
  return [fault(() => `${nameOf(owner)} writes a snapshot: ${what} offset ${held.length}`, raised(next, self.epoch))]
}

const endSnapshot = (world: World, owner: number, offset: number): Step<State> => {
  const self = world.state.owners[owner]!
  const written = world.has('markerLast')
    ? markerWritten(world.state, offset)
    : entityWritten(world.state, self.known.slice(0, offset))
  const next = raised(withOwner(written, owner, { snapshotAt: undefined }), self.epoch)
  return step(() => `${nameOf(owner)} ends the snapshot for offset ${offset}`, next)
}

const raised = (state: State, epoch: number): State => ({
  ...state,
  snapshotEpoch: Math.max(state.snapshotEpoch, epoch)
})

const entityWritten = (state: State, known: readonly Batch[]): State => ({
  ...state,
  snapshot: { ...state.snapshot, known, version: known.length }
})

const markerWritten = (state: State, marker: number): State => ({ ...state, snapshot: { ...state.snapshot, marker } })

const durableBatches = (state: State): number =>
  state.log.slice(0, state.durable).filter(({ kind }) => kind === 'batch').length

const forwardedOf = (owner: Owner): number => owner.sending[0]?.index ?? owner.sendNext

const positionOf = (known: readonly Batch[]): number => known.findLast((batch) => !batch.isFence)?.to ?? 0
