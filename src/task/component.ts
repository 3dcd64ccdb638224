import type { Headers } from '../log/index.ts'
/**
 * A component as the task runtime sees it: a decider over entities. All functions are pure: no clock, no I/O, no
 * randomness, and no change of their arguments.
 * The runtime gives them one input at a time and makes journal, recovery, timers and snapshots out of that.
 */
export type Component<S> = {
  readonly name: string
  /** The journal: the events topic that only this component writes. One task a partition. */
  readonly journal: string
  /** The commands topic; absent where nobody sends it commands. */
  readonly inbox?: string
  /** Other components' journals that it reads. */
  readonly reads: readonly JournalRead[]
  /**
   * The keys of the entities that `decide` may look at for this input. None: it is not for this component; in a journal
   * it is passed over, in the inbox it is a mistake of its sender and becomes a dead letter. Throws only where it can
   * make nothing at all of the input, which then is a dead letter too.
   */
  keysOf(input: Input): readonly string[]
  /** The events that follow from this input; none is a valid answer. `now` is the input's time in ms. */
  decide(
    entity: (key: string) => S | undefined,
    input: Input,
    now: number,
    attemptsOf?: (key: string) => AttemptOf | undefined
  ): readonly Event[]
  /** The keys of the entities that an event changes. */
  touches(event: Event): readonly string[]
  /** One entity after the event; undefined where it is gone. It depends on this entity and the event alone. */
  evolve(entity: S | undefined, event: Event, key: string): S | undefined
  /**
   * True for entities that `decide` may look at, and its events change, for inputs whose `keysOf` does not name them:
   * so they are always in memory. Without it, there are none.
   */
  staysAwake?(key: string): boolean
  /** When this entity next wants a timer input, in ms since 1970; undefined: never. */
  dueAt(entity: S, attemptOf?: AttemptOf): number | undefined
  /** True when nothing more is expected of it, so that it may leave memory after a while. */
  hasEnded(entity: S): boolean
  /**
   * Commands that an event sends, by forwarding: at least once, in journal order, with a stable id; at most one to each
   * inbox partition, since the event's offset is what tells a repeat.
   */
  commandsOf(event: Event): readonly Command[]
  /** Of a component that waits for answers to its commands; without it, no command is taken for waiting in an inbox. */
  readonly waits?: Waits<S>
  /**
   * Is told of each event as soon as the batch that holds it is acknowledged, by who owns the journal then: for what is
   * to happen outside. `entity` gives the state that has come of the batch.
   */
  appended?(event: Event, entity: (key: string) => S | undefined): void
  /** What begins by messages and can be put off while there is no room for it; without it, nothing is. */
  readonly beginnings?: Beginnings
  /**
   * The values in the wire format that an entity keeps, for `decide` to look into. Where they come from journal or
   * snapshots, it may be that only an earlier owner has known their schemas: so these are learnt first.
   */
  keeps?(entity: S): Iterable<Uint8Array>
  /** What has to be known from outside before this message can be decided on; undefined where nothing has. */
  needs?(input: MessageInput): Needed | undefined
  /** Who wants to know which of its entities live: one for each task, by which it is told. */
  census?(): Census<S>
  /** Entities as bytes, for snapshots. */
  readonly snapshot: { encode(entity: S): Uint8Array; decode(bytes: Uint8Array): S }
  /**
   * Resolves when what it knows from outside its journals is at least as new as any journal that ends now. A task that
   * takes a partition over waits for it before it decides.
   */
  caughtUp?(): Promise<void>
}

/** Values in the wire format whose schemas are to be learnt, and what else has to come before. */
export type Needed = { readonly values: readonly Uint8Array[]; readonly known?: () => Promise<void> }

/**
 * Is told of each entity of one task, from its start or its take-over to its end, by the group that it belongs to: the
 * same object for all of a group, which is all that is known of one that sleeps. Closed with the task.
 */
export type Census<S> = {
  groupOf(entity: S): CensusGroup
  /** An entity may change its group while it lives. */
  readonly moves?: true
  /** How much more of its inbox the task takes now; without it, all that comes. The rest stays in the log, unread. */
  room?(): number
  close(): void
}
export type CensusGroup = { add(count: 1 | -1): void }

/** What a component tells of the commands that it waits for an answer to. */
export type Waits<S> = {
  /** Those under way, and those that pause; the same list as long as nothing of it has changed. */
  of(entity: S): readonly Awaited[]
  /** The key that its commands have on the log which have none of their own. */
  keyOf(entity: S): string
  /**
   * Whether the journal of this inbox's participant tells how far the inbox was read, as that of every component of
   * this runtime does.
   */
  tellsReading(inbox: string): boolean
  /** The consumer group by which a participant reads this inbox that does not; undefined where it is not known. */
  groupOf(inbox: string): string | undefined
}

/** What can be put off, lane by lane: a lane is a name for what is put off together (lanes.ts). */
export type Beginnings = {
  /** The lanes in which this message begins something. */
  lanesOf(input: MessageInput): readonly string[]
  /** The inboxes that what begins there will send to, under the message's key or, where not, under any. */
  inboxesOf(lane: string): readonly { readonly inbox: string; readonly isUnderKey: boolean }[]
}

/** A command under way, or in a pause before it is sent again. */
export type Awaited = {
  /** Tells it from the others of its entity. */
  readonly index: number
  /** When its answer is overdue, if it was read the moment it was sent; or the pause is over. */
  readonly dueAt: number
  /** Absent in a pause. */
  readonly sentAt?: number
  readonly inbox?: string
  /** The key of its record; absent where that is its entity's (`keyOf`). */
  readonly key?: string
}

/** Whether its clock runs: `src/saga/engine/attempt.ts` says what follows from it. */
export type Attempt =
  | { readonly kind: 'read'; readonly at: number }
  | { readonly kind: 'unread' }
  | { readonly kind: 'probe'; readonly at: number; readonly isUnread: boolean }
  | { readonly kind: 'held'; readonly until: number }

export type AttemptOf = (awaited: Awaited) => Attempt | undefined

export type JournalRead = {
  readonly topic: string
  /**
   * Whether a record stands in the partition that `partitionOf` gives its key. Of what others write with a client of
   * their own it is not known.
   */
  readonly isPartitionedByKey: boolean
}

export type Input = MessageInput | TimerInput

/** A record from the inbox or from a journal that the component reads. */
export type MessageInput = {
  readonly kind: 'message'
  /** Short record name. */
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
  /** The value as it came, in the wire format, for passing on undecoded. */
  readonly bytes: Uint8Array
  /** The record's key. */
  readonly key: string
  /** `ce_id` where there is one (a command's id, stable over retries), else `<topic>/<partition>/<offset>`. */
  readonly id: string
  /** `ce_causationid`: the id of the command that this answers. */
  readonly causationId?: string | undefined
  /** As they came, for who has to say why nothing follows from it. */
  readonly headers?: Headers | undefined
  /** `ce_correlationid`: `<saga>/<key>`. */
  readonly correlationId?: string | undefined
  /** 1 for a command sent for the first time; `ce_attempt`. */
  readonly attempt: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Absent where there is one partition. */
  readonly home?: Home
  /** Lanes of which something is put off: this message begins nothing in them now. */
  readonly putOff?: ReadonlySet<string>
  /** What `keysOf` has found out may be kept here until it is decided on: the one thing of an input that is changed. */
  memo?: unknown
  /** It is read again for what it begins in this lane, and means nothing else any more. */
  readonly lane?: string
}

export type TimerInput = { readonly kind: 'timer'; readonly key: string; readonly home?: Home }

/** The partition of the journal whose task decides, of so many. */
export type Home = { readonly partition: number; readonly partitions: number }

/** An event to be journaled. The runtime adds the time and the place. */
export type Event = {
  /** The record's key on the journal (it settles the partition for readers that are partitioned alike). */
  readonly key: string
  /** Short record name. */
  readonly type: string
  /** Where it is a record of somebody else's contract, which may share its short name with others. */
  readonly fullName?: string
  readonly value: Readonly<Record<string, unknown>>
  /** Set where it answers a command: its id. Written as `ce_causationid`. */
  readonly causationId?: string
  /** Milliseconds since 1970: when it was decided. Set by the runtime before `evolve`. */
  readonly at?: number
}

/** A command to be written to a participant's inbox. */
export type Command = {
  readonly inbox: string
  /** The record's key and `ce_subject`. */
  readonly key: string
  readonly id: string
  /** Short record name, `ce_type`. */
  readonly type: string
  /** In the wire format. */
  readonly value: Uint8Array
  readonly attempt: number
  readonly correlationId: string
  /** Of no use from then on, in ms since 1970. */
  readonly expiresAt?: number
  /** By journal partition: the next offset of what has led to it, for a reader of both. */
  readonly seen?: Readonly<Record<string, number>>
}
