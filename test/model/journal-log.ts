/**
 * What the log does with a request that arrives, and what happens to a machine that holds log, tasks and participant in
 * one process.
 */
import type { Step } from './explore.ts'
import { recovered } from './journal-owner.ts'
import {
  type Append,
  type Bounds,
  type Command,
  distinct,
  down,
  type Entry,
  fault,
  handledOf,
  inboxOf,
  isAwaited,
  isFenced,
  journalOf,
  makeBatch,
  nameOf,
  type State,
  spend,
  step,
  withEpoch,
  withOwner,
  type World
} from './journal-state.ts'

export const arrivals = (world: World, append: Append): Step<State>[] => {
  const { state, bounds } = world
  const appends = without(state.appends, append)
  const verdict = judge(world, append)
  const after: State = verdict === 'append' ? appended({ ...state, appends }, append, bounds) : { ...state, appends }
  const awaits = isAwaited(state, append)
  const what = (): string =>
    ({
      append: `${append.batch.id} is appended at ${journalOf(state).length}`,
      repeat: `${append.batch.id} arrives again and is known`,
      refuse: `${append.batch.id} arrives and is refused`
    })[verdict]
  const silent = (): string => (awaits ? `${what()}; the answer is lost` : what())
  if (!awaits) return [step(silent, after)]
  const heard = verdict === 'refuse' ? refused(world, after, append) : acknowledged(world, after, append)
  const loud = step(() => `${what()}; ${nameOf(append.owner)} learns of it`, heard)
  return state.left.losses === 0 ? [loud] : [loud, fault(silent, spend(after, 'losses'))]
}

const without = <T>(items: readonly T[], item: T): T[] => items.toSpliced(items.indexOf(item), 1)

const judge = (world: World, append: Append): 'append' | 'repeat' | 'refuse' => {
  const { state } = world
  if (isFenced(state, append) && world.has('epochChecked')) return 'refuse'
  if (state.sequences[append.epoch] === undefined && append.epoch < state.forgotten) return 'append'
  const last = state.sequences[append.epoch] ?? -1
  if (append.sequence <= last) return world.has('sequenceChecked') ? 'repeat' : 'append'
  return append.sequence === last + 1 ? 'append' : 'refuse'
}

const appended = (state: State, append: Append, bounds: Bounds): State => {
  const { epoch, sequence } = append
  const sequences = replaced(state.sequences, epoch, sequence)
  const producer = state.producers[epoch]!
  const newest = Math.max(state.writerEpochs[producer] ?? 0, epoch)
  const writerEpochs = replaced(state.writerEpochs, producer, newest)
  return written({ ...state, sequences, writerEpochs }, { kind: 'batch', batch: append.batch }, bounds)
}

const replaced = (list: readonly number[], at: number, value: number): number[] =>
  Object.assign([...list], { [at]: value }) as number[]

const written = (state: State, entry: Entry, bounds: Bounds): State => {
  const log = [...state.log, entry]
  return { ...state, log, durable: bounds.variant === 'kafka' ? log.length : state.durable }
}

const acknowledged = (world: World, state: State, append: Append): State => {
  const self = state.owners[append.owner]!
  const pending = self.pending.filter(({ batch }) => batch.id !== append.batch.id)
  if (append.batch.isFence) {
    const heard = withOwner(state, append.owner, { pending })
    if (self.phase === 'working') return withOwner(heard, append.owner, { known: [...self.known, append.batch] })
    const journal = journalOf(state)
    const end = journal.findIndex(({ id }) => id === append.batch.id) + 1
    return recovered(world, heard, append.owner, journal.slice(0, end))
  }
  const { batch } = self.pending.find(({ batch }) => batch.id === append.batch.id)!
  const told = world.bounds.variant === 'kafka' || !world.has('tellsDurable') ? [...state.told, batch] : state.told
  const known = [...self.known, batch]
  return withOwner({ ...state, told }, append.owner, { pending, known, uncommitted: batch.to })
}

const refused = (world: World, state: State, append: Append): State => {
  if (world.has('stopsWhenRefused')) return withOwner(state, append.owner, down)
  const raised = withEpoch(state)
  const { epoch } = raised
  const id = `${nameOf(append.owner)}${epoch}.0`
  const again: Append = { ...append, epoch, sequence: 0, batch: makeBatch({ ...append.batch, id }) }
  const claimedAnew = { ...raised, appends: [...state.appends, again] }
  return withOwner(claimedAnew, append.owner, { epoch, nextSequence: 1, pending: [again] })
}

export const deliveries = (world: World, send: Command): Step<State>[] => {
  const { state, bounds } = world
  const queued = written(
    { ...state, sends: without(state.sends, send) },
    { kind: 'command', sequence: send.sequence, id: send.id },
    bounds
  )
  // On Kafka the participant's answer depends on the order in the inbox alone, so it may as well come at once.
  const after = bounds.variant === 'kafka' ? handled(world, queued) : queued
  const sender = state.owners[send.owner]!
  const what = (): string =>
    `the command of ${send.id} (sequence ${send.sequence}) enters the inbox${verdictOf(state, after)}`
  if (!sender.sending.some(({ id, epoch }) => id === send.id && epoch === send.epoch)) return [step(what, after)]
  const sending = sender.sending.filter(({ id }) => id !== send.id)
  const loud = step(() => `${what()}; ${nameOf(send.owner)} learns of it`, withOwner(after, send.owner, { sending }))
  return state.left.losses === 0 ? [loud] : [loud, fault(() => `${what()}; the answer is lost`, spend(after, 'losses'))]
}

const verdictOf = (before: State, after: State): string => {
  const last = handledOf(after).at(-1)
  if (handledOf(after).length === handledOf(before).length || last === undefined) return ''
  return last.accepted ? '; the participant accepts it' : '; the participant drops it'
}

/** The participant handles the next command of its inbox: one append of its own, with the outcome and its position. */
const handled = (world: World, state: State): State => {
  const command = inboxOf(state)[handledOf(state).length]!
  const journaled = Math.max(-1, ...handledOf(state).map(({ sequence }) => sequence))
  const highest = world.has('highWaterInJournal') ? journaled : state.highWaterInMemory
  const accepted = command.sequence > highest || !world.has('sequenceDeduplicated')
  const next = written(state, { kind: 'handled', sequence: command.sequence, id: command.id, accepted }, world.bounds)
  return world.has('highWaterInJournal') ? next : { ...next, highWaterInMemory: Math.max(highest, command.sequence) }
}

/**
 * All sleep until the brokers have forgotten the ids of their writers. What had left by then has arrived, or never
 * will: the connections are closed long before.
 */
export const forgetting = ({ state }: World): Step<State>[] => {
  if (state.left.forgets === 0) return []
  const [a, b] = state.owners.map((owner) => (owner.phase === 'down' ? owner : { ...owner, isLate: true }))
  const next: State = {
    ...spend(state, 'forgets'),
    owners: [a!, b!],
    owning: -1,
    writerEpochs: [],
    sequences: [],
    forgotten: state.epoch + 1,
    appends: []
  }
  return [fault(() => 'all sleep until the brokers have forgotten their ids', next)]
}

export const machineSteps = (world: World): Step<State>[] => {
  const { state } = world
  const steps: Step<State>[] = []
  if (inboxOf(state).length > handledOf(state).length) {
    const next = handled(world, state)
    steps.push(step(() => `the participant takes the next command${verdictOf(state, next)}`, next))
  }
  if (state.durable < state.log.length) steps.push(step(() => 'everything appended so far is synced', synced(world)))
  if (state.left.crashes > 0) steps.push(...survivors(world).map((log) => machineCrash(world, log)))
  return steps
}

const synced = (world: World): State => {
  const { state } = world
  const working = state.owners.flatMap((owner) => owner.known)
  const told = journalOf(state).filter((batch) => !batch.isFence && working.some(({ id }) => id === batch.id))
  const all = world.has('tellsDurable') ? distinct([...state.told, ...told], (batch) => batch.key) : state.told
  return { ...state, durable: state.log.length, told: all }
}

/**
 * What may be left of the log: any prefix that holds all that is durable; where there is no total order, any prefix of
 * each partition.
 */
const survivors = (world: World): (readonly Entry[])[] => {
  const { log, durable } = world.state
  if (world.has('oneTotalOrder')) {
    return Array.from({ length: log.length - durable + 1 }, (_, lost) => log.slice(0, log.length - lost))
  }
  const kinds = ['batch', 'command', 'handled'] as const
  return kinds.reduce<(readonly Entry[])[]>(
    (logs, kind) => logs.flatMap((kept) => suffixesLost(kept, kind, durable)),
    [log]
  )
}

const suffixesLost = (log: readonly Entry[], kind: Entry['kind'], durable: number): (readonly Entry[])[] => {
  const losable = log.filter((entry, i) => i >= durable && entry.kind === kind)
  return Array.from({ length: losable.length + 1 }, (_, kept) => {
    const lost = new Set(losable.slice(kept))
    return log.filter((entry) => !lost.has(entry))
  })
}

const machineCrash = (world: World, log: readonly Entry[]): Step<State> => {
  const { state } = world
  const lost = state.log
    .filter((entry) => !log.includes(entry))
    .map((entry) => (entry.kind === 'batch' ? entry.batch.id : `${entry.kind} ${entry.id}`))
  const next: State = {
    ...state,
    log,
    durable: log.length,
    writerEpochs: [],
    sequences: [],
    appends: [],
    sends: [],
    owners: [down, down],
    highWaterInMemory: -1
  }
  return fault(() => `the machine crashes; lost: ${lost.join(', ') || 'nothing'}`, spend(next, 'crashes'))
}
