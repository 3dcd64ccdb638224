import type { Account } from '../base/index.ts'
import type { TopicPartition } from '../log/index.ts'
import { RetryBudget } from './retry-budget.ts'
import { Window, type WindowLimits } from './window.ts'

/** A command that was not answered yet. */
export type Entry = {
  readonly load: InboxLoad
  readonly entity: string
  /** Tells it from the others of its entity. */
  readonly index: number
  /** The journal offset of the event that sent it: in this order those of one journal partition stand in an inbox. */
  readonly sequence: number
  /** Of its first attempt, where that was answered by nobody either. */
  readonly firstSequence: number
  readonly sentAt: number
  readAt: number | undefined
  /** It has been answered, or is of no use any more. */
  isOver: boolean
  /** Its timer has fired while its clock stood: somebody has to set it again. */
  isOverdue: boolean
}

/** Which command probes the inbox, whatever attempt it is at. */
type Probe = Pick<Entry, 'entity' | 'index'>

export type InboxLoadOptions = Pick<InboxLoad, 'place' | 'isTold'> & {
  readonly windowLimits: WindowLimits
  readonly account: Account
  readonly now: number
}

/** What one journal partition has sent to one inbox partition and was not answered yet, and what of it was read. */
export class InboxLoad {
  readonly place: TopicPartition
  /** Not answered. */
  count = 0
  /** Of what the process knows of commands. */
  readonly account: Account
  /** Of these, not known to be read. */
  unreadCount = 0
  /** When something was last seen to be read. */
  movedAt: number
  probe: Probe | undefined
  readonly window: Window
  readonly retries: RetryBudget
  /** True where the participant's journal, or its group, tells how far it has read: what they do not is not read. */
  isTold: boolean
  #wasTold = false
  /** In the order of the inbox, from `#head` on; what is over or read stays in it until it is passed. */
  #queue: Entry[] = []
  #head = 0
  #readTo = 0
  /** False where snapshots have given it entries in their own order. */
  #isSorted = true

  constructor({ place, isTold, windowLimits, account, now }: InboxLoadOptions) {
    this.place = place
    this.account = account
    this.isTold = isTold
    this.window = new Window(windowLimits, now)
    this.retries = new RetryBudget(now)
    this.movedAt = now
  }

  /** The first that is not known to be read. */
  get first(): Entry | undefined {
    this.#sort()
    for (; this.#head < this.#queue.length; this.#head++) {
      const entry = this.#queue[this.#head]!
      if (!entry.isOver && entry.readAt === undefined) return entry
    }
    this.#compact()
    return undefined
  }

  /** How many more the process's memory lets it have. */
  get room(): number {
    return Math.floor((this.account.bytesMax - this.account.heldBytes) / entryBytes)
  }

  add(entry: Entry, now: number): void {
    this.#count(1)
    if (entry.sequence < this.#readTo) {
      entry.readAt = now
      return
    }
    this.unreadCount++
    this.#isSorted &&= entry.sequence >= (this.#queue.at(-1)?.sequence ?? 0)
    this.#queue.push(entry)
  }

  told(): void {
    this.#wasTold = true
    this.isTold = true
  }

  /** Who answers and does not tell is another service in the place of one that would. */
  answered(): void {
    this.isTold &&= this.#wasTold
  }

  /** All below this sequence was read; `onRead` is told those that wait for an answer from now on. */
  read(to: number, now: number, onRead: (entry: Entry) => void): void {
    if (to <= this.#readTo) return
    this.#readTo = to
    this.#sort()
    const from = this.#head
    for (; this.#head < this.#queue.length && this.#queue[this.#head]!.sequence < to; this.#head++) {
      const entry = this.#queue[this.#head]!
      if (entry.isOver || entry.readAt !== undefined) continue
      entry.readAt = now
      this.unreadCount--
      onRead(entry)
    }
    this.window.read(this.#head - from, now)
    this.movedAt = now
    this.probe = undefined
    this.#compact()
  }

  /** It is not waited for any more, or in a pause now; until its end it counts. */
  leave(entry: Entry): void {
    entry.isOver = true
  }

  /** It does not count any more: something else does, or nothing. */
  end(isUnread: boolean): void {
    this.#count(-1)
    if (isUnread) this.unreadCount--
  }

  /** It pauses since before this owner. */
  addPaused(): void {
    this.#count(1)
    this.unreadCount++
  }

  isProbe(entry: Entry): boolean {
    const { probe } = this
    if (probe === undefined) return this.first === entry
    return probe.entity === entry.entity && probe.index === entry.index
  }

  #count(change: 1 | -1): void {
    this.count += change
    this.account.hold(change * entryBytes)
  }

  #sort(): void {
    if (this.#isSorted) return
    this.#queue = this.#queue.slice(this.#head).sort((a, b) => a.sequence - b.sequence)
    this.#head = 0
    this.#isSorted = true
  }

  #compact(): void {
    if (this.#head < compactedAt && this.#head < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }
}

const compactedAt = 1_000
/** About what is known of a command until it is answered. */
const entryBytes = 600
