import test from 'ava'
import fc from 'fast-check'

import {
  type Attempt,
  commandId,
  evolve,
  type Instance,
  parseCommandId,
  type SagaEvent
} from '../../../src/saga/index.ts'
import { Model } from './model.ts'
import { anyPlan, type Plan, precedes, stepsIn, toDefinition } from './plan.ts'
import { payload, Scenario } from './scenario.ts'

/**
 * Any saga under any weather: what the participants say and when, late, twice or never; cancels; timers at their time,
 * early and late.
 */
type Move =
  | { readonly kind: 'answer'; readonly pick: number; readonly what: 'reply' | 'over' | 'rejection' | 'noise' }
  | { readonly kind: 'repeat'; readonly pick: number; readonly what: 'reply' | 'over' | 'rejection' }
  | { readonly kind: 'due' | 'early' | 'cancel' | 'start'; readonly ms?: never }
  | { readonly kind: 'oversleep'; readonly ms: number }
  | { readonly kind: 'attempt'; readonly pick: number; readonly ms: number; readonly how: How }

/** What becomes known of an attempt, or of the pause before the next. */
type How = 'read' | 'unread' | 'probe' | 'useless probe' | 'held' | 'as usual'

const pick = fc.nat(1000)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer'),
      pick,
      what: fc.constantFrom('reply', 'reply', 'reply', 'over')
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('answer'), pick, what: fc.constantFrom('rejection', 'noise') })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('repeat'), pick, what: fc.constantFrom('reply', 'over', 'rejection') })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('due') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('early', 'cancel', 'start') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('oversleep'), ms: fc.nat(3000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('attempt'),
      pick,
      ms: fc.nat(2000),
      how: fc.constantFrom<How>('read', 'unread', 'unread', 'probe', 'useless probe', 'held', 'as usual')
    })
  }
)

/** The engine and its model, given the same. */
class Pair {
  readonly saga: Scenario
  readonly model: Model
  readonly trace: string[] = []

  constructor(plan: Plan) {
    this.saga = new Scenario(toDefinition(plan))
    this.model = new Model(plan)
    this.#sleepTo(1_000_000)
  }

  move(move: Move): void {
    switch (move.kind) {
      case 'answer':
        return this.#say(this.#unanswered(), move)
      case 'repeat':
        return this.#say(this.#issued(), move)
      case 'cancel':
        return this.#same('cancel', this.saga.cancel(), this.model.cancel())
      case 'start':
        return this.#same('start', this.saga.start(), this.model.start())
      case 'attempt':
        return this.#know(this.#issued(), move)
      default:
        return this.#timer(move.kind === 'oversleep' ? move.ms : move.kind === 'early' ? -1 : 0)
    }
  }

  /**
   * From now on the participants are fair and time goes on. Bounded: a saga that does not come to rest in so many
   * rounds never will.
   */
  rest(): void {
    for (const attempts of [this.saga.attempts, this.model.attempts]) attempts.clear()
    for (let rounds = 0; rounds < 100; rounds++) {
      const before = this.saga.journal.length
      for (const id of this.#unanswered()) {
        this.#say([id], { pick: 0, what: 'reply' })
        this.#say([id], { pick: 0, what: 'over' })
      }
      if (this.saga.journal.length > before) continue
      if (this.saga.dueAt() === undefined) return
      this.#timer(0)
    }
    throw new Error(`no rest after\n${this.trace.join('\n')}`)
  }

  /** Tells both how the attempt of a command stands from now on. */
  #know(ids: readonly string[], { pick, ms, how }: Move & { readonly kind: 'attempt' }): void {
    const id = ids[pick % ids.length]
    if (id === undefined) return
    const { step } = parseCommandId(id)!
    this.trace.push(`${this.saga.now} ${how} ${step}`)
    for (const attempts of [this.saga.attempts, this.model.attempts]) {
      if (how === 'as usual') attempts.delete(step)
      else attempts.set(step, attemptOf(how, this.saga.now + (how === 'held' ? ms : -ms)))
    }
  }

  #timer(ms: number): void {
    this.#sleepTo(Math.max(this.saga.now, (this.saga.dueAt() ?? this.saga.now) + ms))
    this.#same('timer', this.saga.give({ kind: 'timer' }), this.model.timer())
  }

  #say(ids: readonly string[], { pick, what }: { pick: number; what: 'reply' | 'over' | 'rejection' | 'noise' }): void {
    const id = ids[pick % ids.length]
    if (id === undefined) return
    const { step, undo } = parseCommandId(id)!
    const name = `${step[0]!.toUpperCase()}${step.slice(1)}`
    const answers = undo
      ? { reply: `${name}Undone`, rejection: `${name}Stays`, over: 'Over', noise: 'Noise' }
      : { reply: `${name}Done`, rejection: `${name}Refused`, over: 'Over', noise: 'Noise' }
    const seen = this.saga.give({ kind: 'answer', commandId: id, message: payload(answers[what]) })
    this.#same(`${what} ${id}`, seen, undo ? this.model.undoAnswer(step, what) : this.model.answer(step, what))
  }

  #same(input: string, seen: readonly string[], expected: readonly string[]): void {
    this.trace.push(`${this.saga.now} ${input}: ${seen.join(', ')}`)
    const told = {
      lines: seen.map((text) => text.replace(/back: .*Refused$/, 'back: Rejected')).toSorted(),
      due: this.saga.dueAt(),
      status: this.saga.status() ?? 'running'
    }
    const modelled = { lines: expected.toSorted(), due: this.model.due(), status: this.model.status() }
    if (JSON.stringify(told) === JSON.stringify(modelled)) return
    throw new Error(`${this.trace.join('\n')}\nengine ${JSON.stringify(told)}\nmodel  ${JSON.stringify(modelled)}`)
  }

  #sleepTo(now: number): void {
    this.saga.now = now
    this.model.now = now
  }

  #issued(): string[] {
    const issued = this.saga.journal.flatMap(({ event }) =>
      event.type === 'CommandIssued' ? [event.value.commandId] : []
    )
    return [...new Set(issued)]
  }

  #unanswered(): string[] {
    const settled = this.saga.journal.map(({ event }) => settles(event))
    return this.#issued().filter((id) => !settled.includes(id))
  }
}

const attemptOf = (how: Exclude<How, 'as usual'>, at: number): Attempt => {
  if (how === 'unread') return { kind: how }
  if (how === 'held') return { kind: how, until: at }
  return how === 'read' ? { kind: how, at } : { kind: 'probe', at, isUnread: how === 'useless probe' }
}

const settles = ({ type, value }: SagaEvent): string | undefined => {
  if (type === 'StepSucceeded' || type === 'StepRejected') return commandId('trip', value.step, 'k1', false)
  return type === 'StepCompensated' ? commandId('trip', value.step, 'k1', true) : undefined
}

const runs = fc.record({ plan: anyPlan, moves: fc.array(move, { maxLength: 40 }) })

const play = ({ plan, moves }: { plan: Plan; moves: readonly Move[] }): Pair => {
  const pair = new Pair(plan)
  pair.move({ kind: 'start' })
  for (const each of moves) pair.move(each)
  pair.rest()
  return pair
}

/** Printed with every failure; FC_SEED repeats it. */
const seed = Number(process.env['FC_SEED'] ?? fc.sample(fc.nat(), 1)[0])

test('every input does what the model says, and every saga ends completed, compensated or parked (S1 to S7)', (t) => {
  const rests: Record<string, number> = {}
  const comesToRest = fc.property(runs, (run) => {
    const status = play(run).saga.status()!
    rests[status] = (rests[status] ?? 0) + 1
    return ['completed', 'compensated', 'parked'].includes(status)
  })
  fc.assert(comesToRest, { numRuns: Number(process.env['FC_RUNS'] ?? 800), seed, includeErrorInReport: true })
  t.true(Math.min(rests['completed']!, rests['compensated']!, rests['parked']!) > 50, JSON.stringify(rests))
})

/**
 * The journals of some of those sagas, each judged by one rule at a time, which knows nothing but the journal and the
 * plan.
 */
const journals = fc.sample(runs, { numRuns: 300, seed }).map((run) => {
  const { saga, trace } = play(run)
  return { plan: run.plan, saga, events: saga.journal.map(({ event }) => event), trace }
})
type Journal = (typeof journals)[number]

const rule = test.macro({
  title: (title) => title!,
  exec: (t, violations: (journal: Journal) => readonly unknown[]) => {
    for (const journal of journals) {
      const found = violations(journal)
      if (found.length > 0) t.fail(`seed ${seed}\n${journal.trace.join('\n')}\n${JSON.stringify(found)}`)
    }
    t.pass()
  }
})

type Issued = SagaEvent & { readonly type: 'CommandIssued' }

const issuedOf = (events: readonly SagaEvent[], undo: boolean): Issued[] =>
  events.filter((event): event is Issued => event.type === 'CommandIssued' && event.value.undo === undo)

const stepsOf = (events: readonly SagaEvent[], ...types: SagaEvent['type'][]): string[] =>
  events.flatMap(({ type, value }) => (types.includes(type) && 'step' in value ? [value.step] : []))

const before = (events: readonly SagaEvent[], end: SagaEvent): readonly SagaEvent[] =>
  events.slice(0, events.indexOf(end))

const after = (events: readonly SagaEvent[], ...types: SagaEvent['type'][]): readonly SagaEvent[] => {
  const place = events.findIndex(({ type }) => types.includes(type))
  return place < 0 ? [] : events.slice(place + 1)
}

/** Whether a step stands before another in the plan; the start stands before all. */
const standsBefore = (plan: Plan, one: string, other: string): boolean => {
  if (one === 'start' || other === 'start') return other !== 'start'
  const pathOf = (name: string) => stepsIn(plan.body).find(({ step }) => step.name === name)!.path
  return precedes(pathOf(one), pathOf(other))
}

test('a step is sent when all before it have succeeded or were skipped', rule, ({ plan, events }) =>
  issuedOf(events, false).filter((issued) => {
    const done = stepsOf(before(events, issued), 'StepSucceeded', 'StepSkipped')
    const first = stepsIn(plan.body).filter(({ step }) => standsBefore(plan, step.name, issued.value.step))
    return !first.every(({ step }) => done.includes(step.name))
  })
)

test(
  'an undo is sent when all that came after its step has been undone, the start last of all (S3)',
  rule,
  ({ plan, events }) =>
    issuedOf(events, true).filter((issued) => {
      const undone = stepsOf(before(events, issued), 'StepCompensated')
      const first = stepsOf(events, 'StepCompensated').filter((step) => standsBefore(plan, issued.value.step, step))
      return !first.every((step) => undone.includes(step))
    })
)

test(
  'a compensated saga has undone all that was sent and not rejected, and nothing else (S2)',
  rule,
  ({ plan, events }) => {
    if (events.at(-1)!.type !== 'SagaCompensated') return []
    const sent = issuedOf(events, false).map(({ value }) => value.step)
    const rejected = stepsOf(events, 'StepRejected')
    const owed = stepsIn(plan.body).filter(
      ({ step: { name, undo } }) => undo !== 'none' && sent.includes(name) && !rejected.includes(name)
    )
    const expected = owed.map(({ step }) => step.name).concat(plan.undoStart === 'none' ? [] : ['start'])
    const undone = stepsOf(events, 'StepCompensated')
    return undone.toSorted().join() === expected.toSorted().join() ? [] : [{ undone, expected }]
  }
)

test('nothing goes forward once compensation has begun (S4)', rule, ({ events }) => {
  const later = after(events, 'CompensationStarted')
  return [...issuedOf(later, false), ...later.filter(({ type }) => type === 'StepSucceeded' || type === 'PivotReached')]
})

test('nothing is undone before compensation has begun', rule, ({ events }) =>
  issuedOf(events, true).filter((undo) => !before(events, undo).some(({ type }) => type === 'CompensationStarted'))
)

test('nothing turns back once the pivot is reached, nor while it is in flight (S4)', rule, ({ events }) => {
  const pivot = issuedOf(events, false).find(({ value }) => value.pivot)
  const turn = events.find(({ type }) => type === 'CompensationStarted')
  if (pivot === undefined || turn === undefined || events.indexOf(turn) < events.indexOf(pivot)) return []
  return stepsOf(before(events, turn), 'StepRejected').includes(pivot.value.step) ? [] : [turn]
})

test('attempts are counted from 1, with the same command each time, and none is early (S5)', rule, ({ events }) => {
  const last = new Map<string, Issued>()
  return [...issuedOf(events, false), ...issuedOf(events, true)].filter((issued) => {
    const { commandId: id, attempt, dueAt: _dueAt, expiresAt: _expiresAt, ...command } = issued.value
    const previous = last.get(id)?.value
    last.set(id, issued)
    if (previous === undefined) return attempt !== 1
    const { commandId: _id, attempt: previousAttempt, dueAt, expiresAt: _until, ...previousCommand } = previous
    const isSame = JSON.stringify(command) === JSON.stringify(previousCommand)
    return attempt !== previousAttempt + 1 || !isSame || issued.value.dueAt <= dueAt
  })
})

test('nothing follows the end (S5)', rule, ({ events }) => [...after(events, 'SagaCompleted', 'SagaCompensated')])

test(
  'each of these happens to a step at most once: its success, its rejection, its undo, being skipped',
  rule,
  ({ events }) => {
    const once = [
      'StepSucceeded',
      'StepRejected',
      'StepCompensated',
      'StepSkipped',
      'ReplyCameLate',
      'PivotReached'
    ] as const
    return once.filter((type) => new Set(stepsOf(events, type)).size < stepsOf(events, type).length)
  }
)

test('each of these happens to a saga at most once: start, turn, cancel, refusal', rule, ({ events }) => {
  const once = ['SagaStarted', 'CompensationStarted', 'CancelRequested', 'CancelRefused'] as const
  return once.filter((type) => events.filter((event) => event.type === type).length > 1)
})

test('folding the journal again gives the same instance (S8)', rule, ({ saga }) => {
  let folded: Instance | undefined
  for (const { event, at } of structuredClone(saga.journal)) folded = evolve(folded, event, at)
  return JSON.stringify(folded) === JSON.stringify(saga.instance) ? [] : [folded]
})
