/**
 * The states of the model of the journal protocol (`journal-protocol.ts`): its rules, its bounds, and what there is at
 * one moment.
 */
import type { Step } from './explore.ts'

export const rules = {
  fences: 'a new owner appends a fence record before it works',
  readsBehindFence: 'it reads the journal only when its fence is acknowledged',
  epochChecked: 'the log refuses a writer whose epoch is older than the newest that has written',
  stopsWhenRefused: 'a writer that is refused stops at once',
  provesWhenLate: 'a writer that has slept proves that it is the owner before it appends',
  renewsWhenLate: 'it takes a new epoch by its own, which is refused where another has claimed since',
  endWhenLate: 'it looks whether the journal ends where it left it',
  neverSentLate: 'a batch that has left before the sleep is not sent again after it',
  sequenceChecked: 'the log appends a batch once, however often it arrives',
  retriesSameSequence: 'a retry carries the same sequence number',
  retriesSameBytes: 'a retry carries the same records',
  oneInFlight: 'one batch is in flight at a time',
  positionsInBatch: 'a batch carries the input positions that it covers',
  laneInBatch: 'a batch carries the position of the first beginning that is put off',
  laneMovesWithBatch: 'the position of what is put off moves on with the batch that begins it',
  putOffInOrder: 'while a beginning is put off, all that come later are',
  forwardsAcknowledged: 'only commands of acknowledged batches are forwarded',
  stopAndWait: 'the next command is sent only when the last is acknowledged',
  forwardsTheRest: 'a new owner forwards again from the recorded position on',
  forwardedNotAhead: 'the recorded forwarded position is not ahead of delivery',
  sequenceDeduplicated: 'the participant drops a command whose sequence is not above the highest it has seen',
  sequenceIsOffset: "a command's sequence is the journal offset of its event",
  highWaterInJournal: 'the participant keeps the highest sequence in its own journal',
  snapshotNotAhead: 'a snapshot holds acknowledged batches only',
  snapshotFenced: 'snapshots of an older epoch are refused',
  markerLast: 'the marker is written after what it stands for',
  versionRespected: 'an entity passes over the events below its own version',
  snapshotDurable: 'a snapshot holds durable batches only',
  tellsDurable: 'only what is durable is acknowledged to the outside',
  oneTotalOrder: 'a crash of the machine loses a suffix of one total order over all partitions'
} as const

export type Rule = keyof typeof rules

export type Bounds = {
  /**
   * `kafka`: acknowledged is durable. `embedded`: a crash of the machine loses a suffix of what is not yet synced, and
   * takes everybody down.
   */
  readonly variant: 'kafka' | 'embedded'
  readonly inputs: number
  readonly crashes: number
  /** How often a process claims the task while the other one works on. */
  readonly takeovers: number
  /** How often a request is sent again although it may still be under way. */
  readonly duplicates: number
  /** How many answers are lost. */
  readonly losses: number
  readonly snapshots: number
  /** How often all sleep until the brokers have forgotten the ids of their writers. */
  readonly forgets?: number
  /** How often there is no room for what an input begins; where it is undefined, nothing begins. */
  readonly putOffs?: number
  readonly dropped?: Rule
}

/**
 * `forwarded`: all commands of batches below this journal offset are in the inbox. `basis`: what it was decided on, the
 * ids of the batches folded.
 */
export type Batch = {
  readonly id: string
  readonly isFence: boolean
  readonly from: number
  readonly to: number
  readonly forwarded: number
  readonly basis: string
  /** The inputs that it begins something for, and the first whose beginning is still put off; or the next input. */
  readonly begins: readonly number[]
  readonly lane: number
  /** All of it as text, made once. */
  readonly key: string
}

export const makeBatch = (batch: Omit<Batch, 'key'>): Batch => ({
  ...batch,
  key: `${batch.id}:${batch.from}-${batch.to}/${batch.forwarded}<${batch.basis}+${batch.begins.join()}@${batch.lane}`
})

export type Append = {
  readonly owner: number
  readonly epoch: number
  readonly sequence: number
  readonly batch: Batch
}

export type Command = {
  readonly owner: number
  readonly epoch: number
  readonly index: number
  readonly sequence: number
  readonly id: string
}

/** The one total order of everything appended: the journal, the inbox, and the participant's own journal. */
export type Entry =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'command'; readonly sequence: number; readonly id: string }
  | { readonly kind: 'handled'; readonly sequence: number; readonly id: string; readonly accepted: boolean }

export type Owner = {
  readonly phase: 'down' | 'fencing' | 'working'
  readonly epoch: number
  /** It has slept, and has not proved since that it is the owner. */
  readonly isLate: boolean
  readonly nextSequence: number
  /** Its memory: the batches that it has folded. */
  readonly known: readonly Batch[]
  /** Appends without an answer. */
  readonly pending: readonly Append[]
  /** The journal offset from which on commands are still to be sent, and where that began in this life. */
  readonly sendNext: number
  readonly resumedAt: number
  readonly sending: readonly Command[]
  /** A snapshot half written: the entity is there, its marker is not (or the reverse where that rule is dropped). */
  readonly snapshotAt: number | undefined
  /** What the dropped rule `positionsInBatch` puts in its place: a position committed afterwards. */
  readonly uncommitted: number
}

type Snapshot = { readonly known: readonly Batch[]; readonly version: number; readonly marker: number }

export type State = {
  readonly log: readonly Entry[]
  readonly durable: number
  readonly epoch: number
  /**
   * What the journal's leader knows of its writers: by producer id the newest epoch that has written, and the last
   * sequence number by epoch. Of epochs below `forgotten` that are not there it takes any.
   */
  readonly writerEpochs: readonly number[]
  readonly sequences: readonly number[]
  readonly forgotten: number
  /** The producer id of each epoch, and the epoch that the coordinator knows for the owner's; -1: none. */
  readonly producers: readonly number[]
  readonly owning: number
  readonly appends: readonly Append[]
  readonly sends: readonly Command[]
  readonly owners: readonly [Owner, Owner]
  readonly snapshot: Snapshot
  readonly snapshotEpoch: number
  readonly committed: number
  readonly highWaterInMemory: number
  /** Batches acknowledged to the outside that are not known to be safe. */
  readonly told: readonly Batch[]
  readonly left: {
    readonly crashes: number
    readonly takeovers: number
    readonly duplicates: number
    readonly losses: number
    readonly snapshots: number
    readonly putOffs: number
    readonly forgets: number
  }
}

export const down: Owner = {
  phase: 'down',
  epoch: 0,
  isLate: false,
  nextSequence: 0,
  known: [],
  pending: [],
  sendNext: 0,
  resumedAt: 0,
  sending: [],
  snapshotAt: undefined,
  uncommitted: 0
}

export const initialState = (bounds: Bounds): State => ({
  log: [],
  durable: 0,
  epoch: 0,
  writerEpochs: [],
  sequences: [],
  forgotten: 0,
  producers: [0],
  owning: -1,
  appends: [],
  sends: [],
  owners: [down, down],
  snapshot: { known: [], version: 0, marker: 0 },
  snapshotEpoch: 0,
  committed: 0,
  highWaterInMemory: -1,
  told: [],
  left: {
    crashes: bounds.crashes,
    takeovers: bounds.takeovers,
    duplicates: bounds.duplicates,
    losses: bounds.losses,
    snapshots: bounds.snapshots,
    putOffs: bounds.putOffs ?? 0,
    forgets: bounds.forgets ?? 0
  }
})

export const journalOf = (state: State): Batch[] =>
  state.log.flatMap((entry) => (entry.kind === 'batch' ? [entry.batch] : []))
export const inboxOf = (state: State): { sequence: number; id: string }[] =>
  state.log.filter((entry) => entry.kind === 'command')
export const handledOf = (state: State): { sequence: number; id: string; accepted: boolean }[] =>
  state.log.filter((entry) => entry.kind === 'handled')

/** What was folded. A fence changes nothing, so it is not part of it. */
export const basisOf = (batches: readonly Batch[]): string => ids(batches.filter((batch) => !batch.isFence))

const ids = (batches: readonly Batch[]): string => {
  let text = ''
  for (const batch of batches) text += text === '' ? batch.id : ` ${batch.id}`
  return text
}

/** Two states are one if nothing that can happen tells them apart. */
export const keyOf = (state: State): string =>
  [
    joined(state.log, (entry) =>
      entry.kind === 'batch' ? entry.batch.key : `${entry.kind[0]}${entry.sequence}${entry.id}`
    ),
    [
      state.durable,
      state.epoch,
      state.forgotten,
      state.owning,
      state.snapshotEpoch,
      state.committed,
      state.highWaterInMemory
    ].join(),
    `${state.sequences.join()}/${state.writerEpochs.join()}/${state.producers.join()}`,
    sorted(state.appends, (append) => append.batch.key),
    sorted(state.sends, (send) => `${send.id},${send.epoch},${send.sequence}`),
    joined(state.owners, ownerKey),
    `${ids(state.snapshot.known)},${state.snapshot.version},${state.snapshot.marker}`,
    joined(state.told, (batch) => batch.key),
    Object.values(state.left).join()
  ].join('|')

const joined = <T>(items: readonly T[], key: (item: T) => string): string => {
  let text = ''
  for (const item of items) text += `${key(item)};`
  return text
}

const sorted = <T>(items: readonly T[], key: (item: T) => string): string =>
  items.length < 2 ? joined(items, key) : items.map(key).sort().join(';')

const ownerKey = (owner: Owner): string => {
  if (owner.phase === 'down') return ''
  const { phase, epoch, isLate, nextSequence, sendNext, resumedAt, snapshotAt, uncommitted } = owner
  const numbers = `${phase},${epoch},${isLate},${nextSequence},${sendNext},${resumedAt},${snapshotAt},${uncommitted}`
  const pending = joined(owner.pending, (append) => append.batch.key)
  return `${numbers},${ids(owner.known)},${pending},${joined(owner.sending, (send) => send.id)}`
}

/** A new epoch: of the producer id that the coordinator knows, or of a new one. */
export const withEpoch = (state: State): State => {
  const epoch = state.epoch + 1
  const producer = state.owning < 0 ? Math.max(...state.producers) + 1 : state.producers[state.owning]!
  return { ...state, epoch, owning: epoch, producers: [...state.producers, producer] }
}

export const isFenced = ({ writerEpochs, producers }: State, { epoch }: Append): boolean =>
  epoch < (writerEpochs[producers[epoch]!] ?? 0)

export const isSame = (a: Batch, b: Batch): boolean => a.id === b.id && a.from === b.from && a.to === b.to

export const isAwaited = (state: State, append: Append): boolean =>
  state.owners[append.owner]!.pending.some(({ batch }) => batch.id === append.batch.id)

export type World = { readonly state: State; readonly bounds: Bounds; readonly has: (rule: Rule) => boolean }

export const distinct = <T>(items: readonly T[], key: (item: T) => string): readonly T[] =>
  items.length < 2 ? items : [...new Map(items.map((item) => [key(item), item])).values()]

export const step = (label: () => string, next: State): Step<State> => ({ label, next, isFault: false })
export const fault = (label: () => string, next: State): Step<State> => ({ label, next, isFault: true })

export const nameOf = (owner: number): string => (owner === 0 ? 'A' : 'B')

export const withOwner = (state: State, owner: number, change: Partial<Owner>): State => ({
  ...state,
  owners: state.owners.map((old, i) => (i === owner ? { ...old, ...change } : old)) as [Owner, Owner] & Owner[]
})

export const spend = (state: State, what: keyof State['left']): State => ({
  ...state,
  left: { ...state.left, [what]: state.left[what] - 1 }
})
