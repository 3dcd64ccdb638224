import type { Attempt } from '../../../src/saga/index.ts'
import { backoffMs, capMs, type Path, type Plan, type PlannedStep, precedes, stepsIn } from './plan.ts'

/**
 * What a saga must do, said a second time and in another way, to judge the engine by. Steps are a set under a partial
 * order: a step may be sent when all before it are done; its undo may be sent when nothing that is owed comes after it.
 * There is no walk over a tree, no packed state, no event to fold. Each input gives the lines that must follow, in any
 * order.
 */
type Mark = {
  readonly step: PlannedStep
  readonly path: Path
  sent: boolean
  attempt: number
  progressed: boolean
  done: boolean
  skipped: boolean
  rejected: boolean
  doubt: boolean
  parked: boolean
  late: boolean
  undoSent: boolean
  undone: boolean
  /** When the present attempt was sent; undefined while none is out. */
  sentAt: number | undefined
  /** Until when it pauses before the next. */
  pauseTo: number | undefined
  /** When the command is of no use any more. */
  useTo: number
}

export class Model {
  now = 0
  /** By step: what has become of the attempt that is out, or how long the next is put off. */
  readonly attempts = new Map<string, Attempt>()
  readonly #plan: Plan
  readonly #marks: Mark[]
  readonly #start: Mark
  #begun = false
  #ended: 'completed' | 'compensated' | undefined
  #back = false
  #committed = false
  #cancel: 'none' | 'pending' | 'refused' = 'none'
  #deadline = Infinity
  #stuckAtEnd = false
  #lines: string[] = []

  constructor(plan: Plan) {
    this.#plan = plan
    this.#marks = stepsIn(plan.body).map(({ step, path }) => mark(step, path))
    this.#start = { ...mark({ ...noStep, undo: plan.undoStart }, []), sent: true, done: true }
  }

  start(): string[] {
    if (this.#begun) return []
    this.#begun = true
    this.#deadline = this.now + (this.#plan.deadlineMs ?? Infinity)
    return this.#settled('started')
  }

  cancel(): string[] {
    if (this.#ended !== undefined || this.#back || this.#cancel !== 'none') return this.#settled()
    this.#cancel = 'pending'
    return this.#settled('cancel')
  }

  answer(name: string, what: 'reply' | 'over' | 'rejection' | 'noise'): string[] {
    const mark = this.#marks.find(({ step }) => step.name === name)!
    if (this.#ended !== undefined || what === 'noise') return this.#settled()
    if (what === 'rejection') return this.#settled(...this.#rejected(mark))
    if (what === 'over' && !mark.step.until) return this.#settled()
    return this.#settled(...(what === 'reply' && mark.step.until ? this.#progressed(mark) : this.#succeeded(mark)))
  }

  undoAnswer(name: string, what: 'reply' | 'over' | 'rejection' | 'noise'): string[] {
    const mark = name === 'start' ? this.#start : this.#marks.find(({ step }) => step.name === name)!
    if (this.#ended !== undefined || !mark.undoSent || mark.undone) return this.#settled()
    if (what === 'reply') {
      Object.assign(mark, { undone: true, parked: false, ...notAsked })
      return this.#settled(`undone ${name}`)
    }
    if (what !== 'rejection' || mark.parked) return this.#settled()
    return this.#settled(this.#park(mark))
  }

  timer(): string[] {
    if (this.#ended !== undefined) return []
    const lines = [this.#start, ...this.#marks].flatMap((mark) => {
      if (!isAsked(mark)) return []
      if (mark.useTo <= this.now && !this.#isTooLate()) return [this.#tooLate(mark)]
      return mark.sentAt !== undefined && this.#overdueAt(mark) <= this.now ? [this.#giveUp(mark)] : []
    })
    return this.#settled(...lines)
  }

  due(): number | undefined {
    if (this.#ended !== undefined) return undefined
    const times = [this.#start, ...this.#marks]
      .filter(isAsked)
      .flatMap((mark) => [mark.useTo, mark.sentAt === undefined ? this.#pauseTo(mark) : this.#overdueAt(mark)])
    if (!this.#back && !this.#committed && !this.#pivot()?.sent) times.push(this.#deadline)
    const earliest = Math.min(...times)
    return earliest === Infinity ? undefined : earliest
  }

  status(): string {
    if (this.#ended !== undefined) return this.#ended
    if (this.#stuckAtEnd || this.#start.parked || this.#marks.some(({ parked }) => parked)) return 'parked'
    if (this.#back) return 'compensating'
    const asked = this.#marks.filter(isAsked)
    if (asked.some(({ attempt }) => attempt > 1)) return 'retrying'
    return asked.length === 0 && this.#marks.some((mark) => mark.progressed && isOpen(mark)) ? 'waiting' : 'running'
  }

  #rejected(mark: Mark): string[] {
    if (!isOpen(mark)) return []
    Object.assign(mark, { rejected: true, parked: false, doubt: false, ...notAsked })
    return [`rejected ${mark.step.name}`]
  }

  #progressed(mark: Mark): string[] {
    if (this.#back || !isOpen(mark) || mark.progressed) return []
    Object.assign(mark, { progressed: true, parked: false, doubt: false, ...notAsked })
    return [`progressed ${mark.step.name}`]
  }

  #succeeded(mark: Mark): string[] {
    if (!this.#back) {
      if (!isOpen(mark)) return []
      Object.assign(mark, { done: true, parked: false, doubt: false, ...notAsked })
      return [`succeeded ${mark.step.name}`]
    }
    if (!mark.sent || mark.done || mark.rejected || mark.late) return []
    mark.late = true
    if (!mark.undoSent) mark.parked = false
    return [`late ${mark.step.name}`]
  }

  /** While it lies in the inbox there is no end to its time but its own and the deadline. */
  #overdueAt(mark: Mark): number {
    const attempt = this.attempts.get(mark.step.name)
    const wait = mark.undoSent ? 1000 : mark.step.timeoutMs
    if (attempt?.kind === 'unread') return Infinity
    return (attempt?.kind === 'read' || attempt?.kind === 'probe' ? attempt.at : mark.sentAt!) + wait
  }

  #pauseTo(mark: Mark): number {
    const attempt = this.attempts.get(mark.step.name)
    return attempt?.kind === 'held' ? Math.max(mark.pauseTo!, attempt.until) : mark.pauseTo!
  }

  #isTooLate(): boolean {
    return !this.#back && !this.#committed && !this.#pivot()?.sent && this.now >= this.#deadline
  }

  #tooLate(mark: Mark): string {
    if (mark.undoSent) return this.#park(mark)
    Object.assign(mark, { doubt: true, ...notAsked })
    return `unknown ${mark.step.name}`
  }

  #giveUp(mark: Mark): string {
    const { name, attempts, undoAttempts } = mark.step
    const attempt = this.attempts.get(name)
    const saysNothing = attempt?.kind === 'probe' && attempt.isUnread
    if (mark.undoSent) return saysNothing || mark.attempt < undoAttempts ? this.#later(mark) : this.#park(mark)
    if (saysNothing || mark.attempt % attempts !== 0) return this.#later(mark)
    Object.assign(mark, { doubt: true, ...notAsked })
    return `unknown ${name}`
  }

  #later(mark: Mark): string {
    mark.attempt++
    const longest = (mark.undoSent ? mark.step.undoAttempts : mark.step.attempts) - 1
    const pause = Math.min(capMs, backoffMs * 2 ** Math.min(mark.attempt - 2, longest))
    Object.assign(mark, { doubt: false, sentAt: undefined, pauseTo: this.now + pause })
    return `later ${this.#name(mark)}`
  }

  #send(mark: Mark, attempt: number): string {
    const useTo = mark.useTo === Infinity ? this.#useTo(mark) : mark.useTo
    Object.assign(mark, { sent: true, attempt, sentAt: this.now, pauseTo: undefined, useTo })
    return this.#name(mark)
  }

  /** Set when it is first sent, and when it is sent anew after a doubt. */
  #useTo({ step, undoSent }: Mark): number {
    if (undoSent) return Infinity
    const isBound = !step.pivot && !this.#committed && !this.#pivot()?.sent
    return Math.min(this.now + (step.withinMs ?? Infinity), isBound ? this.#deadline : Infinity)
  }

  #name({ step, undoSent, attempt }: Mark): string {
    return `${undoSent ? 'undo' : 'do'} ${step.name}${attempt === 1 ? '' : ` #${attempt}`}`
  }

  #park(mark: Mark): string {
    Object.assign(mark, { parked: true, ...notAsked })
    return `parked ${this.#back ? 'undo' : 'do'} ${mark.step.name}`
  }

  #turn(why: string): string {
    this.#back = true
    for (const mark of this.#marks) Object.assign(mark, { parked: false, ...notAsked })
    return `back: ${why}`
  }

  #settled(...lines: string[]): string[] {
    this.#lines = lines
    while (this.#begun && this.#ended === undefined) {
      const next = this.#back ? this.#nextBack() : this.#nextForward()
      if (next === undefined) break
      this.#lines.push(next)
    }
    return this.#lines
  }

  #pivot(): Mark | undefined {
    return this.#marks.find(({ step }) => step.pivot)
  }

  /** Nothing may turn back while this is true. */
  #pivotHolds(): boolean {
    const pivot = this.#pivot()
    return this.#committed || (pivot !== undefined && pivot.sent && !pivot.rejected)
  }

  #nextForward(): string | undefined {
    const pivot = this.#pivot()
    if (pivot && !this.#committed && isThrough(pivot)) {
      this.#committed = true
      return `pivot ${pivot.step.name}`
    }
    const line = this.#faceCancel()
    if (line !== undefined) return line
    if (!this.#committed && !pivot?.sent && this.now >= this.#deadline) return this.#turn('DeadlineExceeded')
    return this.#faceFailures() ?? this.#goOn()
  }

  #faceCancel(): string | undefined {
    if (this.#cancel !== 'pending') return undefined
    if (!this.#committed) return this.#pivotHolds() ? undefined : this.#turn('TripCancelled')
    this.#cancel = 'refused'
    return 'cancel refused'
  }

  #faceFailures(): string | undefined {
    for (const mark of this.#marks.filter(isFailed)) {
      const line = mark.rejected ? this.#faceRejection(mark) : this.#faceDoubt(mark)
      if (line !== undefined) return line
    }
    return undefined
  }

  #faceRejection(mark: Mark): string | undefined {
    if (mark.step.onRejection === 'park' || this.#committed) return this.#park(mark)
    return this.#pivotHolds() ? undefined : this.#turn('Rejected')
  }

  #faceDoubt(mark: Mark): string | undefined {
    if (mark.step.onUnknown === 'park') return this.#park(mark)
    if (mark.step.onUnknown === 'retry' || mark.step.pivot || this.#committed) return this.#later(mark)
    return this.#pivotHolds() ? undefined : this.#turn('Unknown')
  }

  #goOn(): string | undefined {
    for (const mark of this.#marks) {
      if (this.#isPauseOver(mark)) return this.#send(mark, mark.attempt)
      if (isUntouched(mark) && this.#before(mark).every(isThrough)) return this.#begin(mark)
    }
    if (!this.#marks.every(isThrough) || this.#stuckAtEnd) return undefined
    if (this.#plan.complete !== 'fails') return this.#end('completed', this.#plan.complete, 'emit Made')
    if (!this.#committed) return this.#turn('ExpressionFailed')
    this.#stuckAtEnd = true
    return 'parked do complete'
  }

  #isPauseOver(mark: Mark): boolean {
    return mark.pauseTo !== undefined && this.#pauseTo(mark) <= this.now
  }

  #begin(mark: Mark): string {
    const { name, when, argumentsFail } = mark.step
    if (when === 'false') {
      mark.skipped = true
      return `skipped ${name}`
    }
    if (when !== 'fails' && !argumentsFail) return this.#send(mark, 1)
    return this.#committed || this.#pivot()?.sent ? this.#park(mark) : this.#turn('ExpressionFailed')
  }

  #nextBack(): string | undefined {
    const owed = this.#marks.filter(isOwed)
    const last = owed.filter((mark) => !owed.some((other) => precedes(mark.path, other.path)))
    const next = last.length > 0 ? last : [this.#start].filter(isOwed)
    const ready = next.find((mark) => this.#isPauseOver(mark) || (!mark.undoSent && !mark.parked))
    if (ready !== undefined) return this.#undo(ready)
    if (next.length > 0 || this.#stuckAtEnd) return undefined
    if (this.#plan.abort !== 'fails') return this.#end('compensated', this.#plan.abort, 'emit Failed')
    this.#stuckAtEnd = true
    return 'parked undo abort'
  }

  #undo(mark: Mark): string {
    if (mark.undoSent) return this.#send(mark, mark.attempt)
    if (mark.step.undo === 'fails') return this.#park(mark)
    mark.undoSent = true
    return this.#send(mark, 1)
  }

  #end(end: 'completed' | 'compensated', emission: string, line: string): string {
    this.#ended = end
    if (emission === 'works') this.#lines.push(line)
    return end
  }

  #before(mark: Mark): Mark[] {
    return this.#marks.filter((other) => precedes(other.path, mark.path))
  }
}

const notAsked = { sentAt: undefined, pauseTo: undefined, useTo: Infinity }

const noStep: PlannedStep = {
  name: 'start',
  pivot: false,
  undo: 'none',
  when: 'absent',
  argumentsFail: false,
  until: false,
  keepsReply: false,
  onUnknown: 'retry',
  onRejection: 'compensate',
  attempts: 1,
  undoAttempts: 2,
  timeoutMs: 0,
  withinMs: undefined
}

const mark = (step: PlannedStep, path: Path): Mark => ({
  step,
  path,
  sent: false,
  attempt: 0,
  progressed: false,
  done: false,
  skipped: false,
  rejected: false,
  doubt: false,
  parked: false,
  late: false,
  undoSent: false,
  undone: false,
  ...notAsked
})

const isAsked = ({ sentAt, pauseTo }: Mark): boolean => sentAt !== undefined || pauseTo !== undefined
const isFailed = ({ rejected, doubt, parked }: Mark): boolean => (rejected || doubt) && !parked
const isUntouched = ({ sent, skipped, parked }: Mark): boolean => !sent && !skipped && !parked
const isThrough = ({ done, skipped }: Mark): boolean => done || skipped
const isOpen = ({ sent, done, rejected, undoSent }: Mark): boolean => sent && !done && !rejected && !undoSent
const isOwed = ({ sent, rejected, undone, step }: Mark): boolean => sent && !rejected && !undone && step.undo !== 'none'
