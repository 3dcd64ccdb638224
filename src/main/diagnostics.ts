import { aboutDuration, isParcomoloError } from '../base/index.ts'
import type { UnheardAnswer } from '../orchestrator/index.ts'

export type Level = 'error' | 'warn' | 'info' | 'debug'

const levels: readonly Level[] = ['error', 'warn', 'info', 'debug']

/** What the process has to report: lines of JSON on stderr, the state of its health, and the failure that ends it. */
export class Diagnostics {
  /** Resolves with the error once something has failed for good. */
  readonly failed: Promise<unknown>
  readonly #level: Level
  readonly #fail: (error: unknown) => void
  #failure: unknown
  #isHushed = false

  constructor(level: Level) {
    this.#level = level
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.failed = promise
    this.#fail = resolve
  }

  readonly fail = (error: unknown, what = 'a task'): void => {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.report(
      'error',
      facts(error),
      `${what} has failed, so this process stops; it goes on where it was at the next start`
    )
    this.#fail(error)
  }

  readonly poison = (at: string, error: unknown): void =>
    this.report(
      'error',
      { at, ...facts(error) },
      `the record at ${at} cannot be used, so it is a dead letter; parcomolo dead-letters lists them`
    )

  readonly tooLarge = (component: string, key: string, error: unknown): void =>
    this.report(
      'error',
      { component, key, ...facts(error) },
      isParcomoloError(error, 'PARCOMOLO_TASK_INPUT_UNDECIDABLE')
        ? `'${key}' of ${component} stands still until something else happens to it`
        : `'${key}' of ${component} is too large for the log`
    )

  readonly heldUp = (task: string, error: unknown): void =>
    error === undefined
      ? this.report('info', { task }, `the task ${task} goes on`)
      : this.report('warn', { task, ...facts(error) }, `the task ${task} waits, and tries again until it works`)

  readonly definition = (error: unknown): void =>
    this.report(
      'error',
      facts(error),
      'a published saga or participant cannot be used as it stands: nothing new begins on it, and what runs here goes on'
    )

  readonly keyFailed = (error: unknown): void =>
    this.report('error', facts(error), 'a saga passes over events whose key it cannot tell; all others have them')

  readonly keyUsed = (saga: string, key: string, at: string): void =>
    this.report(
      'debug',
      { saga, key, at },
      `the event at ${at} begins nothing: ${saga} has had its instance of this key`
    )

  readonly concern = (about: string, error: unknown): void =>
    error === undefined
      ? this.report('info', { about }, `${about} works again`)
      : this.report('error', { about, ...facts(error) }, `${about} does not work; all that has no need of it goes on`)

  readonly groupUntold = (inbox: string, error: unknown): void =>
    error === undefined
      ? this.report('info', { inbox }, `the group that reads ${inbox} can be asked for again`)
      : this.report(
          'warn',
          { inbox, ...facts(error) },
          `the group that reads ${inbox} cannot be asked for, so only answers tell what it has read; it needs Describe`
        )

  readonly trouble = (participant: string, error: unknown): void =>
    error === undefined
      ? this.report('info', { participant }, `${participant} answers again as its contract says`)
      : this.report('warn', { participant, ...facts(error) }, `a command of ${participant} is not answered yet`)

  /** By so many ms, below 0 where backwards. */
  readonly clockJumped = (jumpMs: number): void =>
    this.report(
      'warn',
      { jumpMs },
      jumpMs > 0
        ? `the clock has gone forward by ${aboutDuration(jumpMs)}, or the machine has slept: what is due happens now`
        : `the clock has gone back by ${aboutDuration(-jumpMs)}: time goes on here as before, until it has caught up`
    )

  readonly ahead = (task: string, aheadMs: number): void =>
    this.report(
      'warn',
      { task, aheadMs },
      `${task} was written when it was ${aboutDuration(aheadMs)} later than the clock says: the task goes on from there`
    )

  readonly refused = (path: string, error: unknown): void => {
    const found = isParcomoloError(error) ? error.details['errors'] : undefined
    const errors = Array.isArray(found) ? { errors: found as unknown[] } : {}
    this.report(
      'error',
      { path, ...facts(error), ...errors },
      `${path} is refused; what was published before, if anything, stays`
    )
  }

  readonly kept = (saga: string, refused: readonly string[]): void =>
    this.report(
      'warn',
      { saga, refused },
      `saga ${saga} has no file any more, and stays while ${refused.join(', ')} is refused`
    )

  readonly needed = (participant: string, path: string, error: unknown): void =>
    this.report(
      'error',
      { participant, path, ...facts(error) },
      `participant ${participant} has no file any more, and its contract stays in force as long as it is needed`
    )

  readonly untold = (folder: string, error: unknown): void =>
    this.report(
      'warn',
      { folder, ...facts(error) },
      `the system does not tell of changes in ${folder}: a look each second finds them`
    )

  /** Something that the start needs does not answer yet, for this reason. */
  readonly waiting = (error: unknown, what = 'the schema registry'): void =>
    this.report('warn', facts(error), `the start waits for ${what}, and goes on when it answers`)

  /** What whoever runs the process should know, and may leave as it is. */
  readonly warning = (facts: object, message: string): void => this.report('warn', facts, message)

  /** A step of the start takes long. */
  readonly slow = (what: string): void => this.report('warn', {}, `the start takes long: it is still ${what}`)

  /** From now on nothing is told: what goes wrong is the consequence of an end that somebody wants. */
  hush(): void {
    this.#isHushed = true
  }

  readonly published = (saga: string, revision: string, what: string): void =>
    this.report('info', { saga, revision }, `saga ${saga} ${what}: revision ${revision}`)

  readonly unheard = (answer: UnheardAnswer): void =>
    this.report('debug', answer, `the answer at ${answer.at} is passed over: ${answer.reason}`)

  /** By default of a saga or participant that was published. */
  error = (
    error: unknown,
    message = 'what was published cannot be used as it stands; what was in force before stays'
  ): void => this.report('error', facts(error), message)

  /** The same lines, for rooms that bring their own facts. */
  readonly logger = {
    info: (facts: object, message: string): void => this.report('info', facts, message),
    warn: (facts: object, message: string): void => this.report('warn', facts, message),
    error: (facts: object, message: string): void => this.report('error', facts, message)
  }

  health(): { name: string; ok: boolean; detail: string }[] {
    return [
      {
        name: 'tasks',
        ok: this.#failure === undefined,
        detail: this.#failure === undefined ? '' : messageOf(this.#failure)
      }
    ]
  }

  report(level: Level, facts: object, message: string): void {
    if (this.#isHushed || levels.indexOf(level) > levels.indexOf(this.#level)) return
    process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), message, ...facts })}\n`)
  }
}

const facts = (error: unknown): object => ({
  ...(isParcomoloError(error) ? { code: error.code } : {}),
  error: messageOf(error),
  // A defect is of use only with the place where it happened.
  ...stackOf(isParcomoloError(error, 'PARCOMOLO_TASK_INPUT_UNDECIDABLE') ? error.cause : error)
})

const stackOf = (error: unknown): object =>
  isParcomoloError(error) || !(error instanceof Error) ? {} : { stack: error.stack }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
