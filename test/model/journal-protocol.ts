/**
 * The journal protocol as a model with explicit states: one task, two processes that may own it, its inputs, one inbox
 * and the participant behind it.
 * `journal-owner.ts` says what a process may do, `journal-log.ts` what may happen in the log; here stands what must
 * hold whatever happens.
 *
 * Every rule of the protocol has a switch, so that a test can drop it and watch what goes wrong
 * (`journal-protocol.test.ts`).
 */
import type { Model, Step } from './explore.ts'
import { arrivals, deliveries, forgetting, machineSteps } from './journal-log.ts'
import { ownerSteps } from './journal-owner.ts'
import {
  type Append,
  basisOf,
  type Batch,
  type Bounds,
  distinct,
  handledOf,
  inboxOf,
  initialState,
  isAwaited,
  isFenced,
  isSame,
  journalOf,
  keyOf,
  type Rule,
  type State,
  type World
} from './journal-state.ts'

/** What must hold, whatever happens. The first six in every state, the last four where all has come to rest. */
export const properties = {
  decidedOnJournal: 'every batch was decided on exactly the batches before it',
  appendedOnce: 'no batch is in the journal twice',
  acknowledgedOnce: 'every acknowledged batch is in the journal',
  inputsOnce: 'each input is covered exactly once, in order',
  begunOnce: 'what each input begins is begun once, in order',
  acceptedOnce: 'the participant accepts the commands of the journal, each once, in order',
  inputsAll: 'in the end each input is covered',
  begunAll: 'in the end what each input begins is begun',
  commandsArrive: 'in the end each command is in the inbox',
  commandsAccepted: 'in the end each command is accepted'
} as const

export type Property = keyof typeof properties

export const journalProtocol = (bounds: Bounds): Model<State> => ({
  initial: initialState(bounds),
  key: keyOf,
  steps: (state) => stepsOf(state, bounds),
  broken: (state, isQuiet) => alwaysBroken(state) ?? (isQuiet ? finallyBroken(state, bounds) : undefined)
})

const alwaysBroken = (state: State): Property | undefined => {
  const journal = journalOf(state)
  if (!isDecidedOnJournal(journal)) return 'decidedOnJournal'
  if (new Set(journal.map(({ id }) => id)).size < journal.length) return 'appendedOnce'
  if (!state.told.every((batch) => journal.some((found) => isSame(found, batch)))) return 'acknowledgedOnce'
  const decided = journal.filter((batch) => !batch.isFence)
  if (!decided.every((batch, i) => batch.from === (decided[i - 1]?.to ?? 0))) return 'inputsOnce'
  if (!decided.flatMap(({ begins }) => begins).every((input, i) => input === i)) return 'begunOnce'
  const accepted = handledOf(state).filter((command) => command.accepted)
  return accepted.every(({ id }, i) => decided[i]?.id === id) ? undefined : 'acceptedOnce'
}

const isDecidedOnJournal = (journal: readonly Batch[]): boolean =>
  journal.every((batch, i) => batch.isFence || batch.basis === basisOf(journal.slice(0, i)))

const finallyBroken = (state: State, bounds: Bounds): Property | undefined => {
  const decided = journalOf(state).filter((batch) => !batch.isFence)
  if ((decided.at(-1)?.to ?? 0) !== bounds.inputs) return 'inputsAll'
  const begun = decided.flatMap(({ begins }) => begins).length
  if (bounds.putOffs !== undefined && begun !== bounds.inputs) return 'begunAll'
  const inbox = new Set(inboxOf(state).map(({ id }) => id))
  if (!decided.every(({ id }) => inbox.has(id))) return 'commandsArrive'
  return handledOf(state).filter((command) => command.accepted).length === decided.length
    ? undefined
    : 'commandsAccepted'
}

/** Everything that can happen next. Faults are what need not happen. */
const stepsOf = (state: State, bounds: Bounds): Step<State>[] => {
  const world = { state, bounds, has: (rule: Rule): boolean => bounds.dropped !== rule }
  return allSteps(world).map((found) => ({ ...found, next: settled(world, found.next) }))
}

/**
 * Leaves out what can make no difference any more, so that fewer states are told apart: requests that nobody awaits and
 * that will be refused or are known, and the memory of acknowledgements of what is durable, which cannot go away.
 */
const settled = (world: World, state: State): State => {
  const appends = state.appends.filter((append) => !isObsolete({ ...world, state }, append) || isAwaited(state, append))
  const durable = state.log.slice(0, state.durable)
  const told = state.told.filter(
    (batch) => !durable.some((entry) => entry.kind === 'batch' && isSame(entry.batch, batch))
  )
  return { ...state, appends, told }
}

const isObsolete = ({ state, has }: World, append: Append): boolean =>
  (has('epochChecked') && isFenced(state, append)) ||
  (has('sequenceChecked') && append.sequence <= (state.sequences[append.epoch] ?? -1))

const allSteps = (world: World): Step<State>[] => {
  const { state, bounds } = world
  return [
    ...[0, 1].flatMap((owner) => ownerSteps(world, owner)),
    ...distinct(state.appends, (append) => append.batch.key).flatMap((append) => arrivals(world, append)),
    ...distinct(state.sends, (send) => `${send.id}/${send.epoch}`).flatMap((send) => deliveries(world, send)),
    ...(bounds.variant === 'embedded' ? machineSteps(world) : forgetting(world))
  ]
}
