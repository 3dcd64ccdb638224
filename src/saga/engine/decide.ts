import { ParcomoloError } from '../../base/index.ts'
import { type Definition, newBudget } from '../definition/index.ts'
import { type Time } from './attempt.ts'
import { backward } from './backward.ts'
import { evolve } from './evolve.ts'
import { forward } from './forward.ts'
import { answer } from './handle/answer.ts'
import { cancel } from './handle/cancel.ts'
import { begin } from './handle/start.ts'
import { fireTimers } from './handle/timer.ts'
import { type Instance, type SagaEvent, type SagaInput } from './instance.ts'
import { hasEnded } from './status.ts'
import { type Turn } from './turn.ts'

/**
 * The saga engine: what follows from one input, as events. It records what the input says (`handle/`), then takes one
 * microstep after another (`forward.ts`, `backward.ts`) until nothing more follows from the state alone. So it does not
 * matter in which order things come, nor how often.
 *
 *   forward ─────────────▶ pivoting ─────────────▶ committed ─────▶ completed
 *     │ │  pivot's command    │   pivot succeeded                     ▲
 *     │ │  sent               │                                       │
 *     │ └─────────────────────┼───── all done, there is no pivot ─────┘
 *     │ rejected, unknown,    │ pivot rejected
 *     ▼ cancel, deadline      │
 *   backward ◀────────────────┘
 *     │ all that is owed is undone
 *     ▼
 *   compensated
 *
 * What one step goes through is drawn in `slot.ts`. Parked is no phase: a parked step waits, and its branch with it,
 * until a late answer settles it or an operator comes.
 *
 *  S1. Every instance ends completed or compensated, or waits for an answer, a timer or an operator.
 *  S2. An undo is owed from the moment a command is sent until it is rejected; once compensation has begun,
 *      exactly what is owed is undone.
 *  S3. Undos run in reverse order of completion, each confirmed before the next; branches of a parallel side by
 *      side; the start last.
 *  S4. Nothing goes forward once compensation has begun. Nothing is compensated from the pivot on; while it is in
 *      flight, all that would turn back waits for its outcome.
 *  S5. A command has the same id and arguments at every attempt. No command is sent twice under one attempt, and
 *      none after the end.
 *  S6. Repeated, late, early and foreign inputs change nothing, except that a late answer settles a doubt which is
 *      still open.
 *  S7. No failure of an expression leaves `decide`: before the pivot it compensates, elsewhere it parks.
 *  S8. The journal alone gives the state: folding the events again, without the definition, gives the same instance.
 *  S9. What lies in an inbox unread is not sent again, nor given up for want of an answer: its attempt's clock stands
 *      (`attempt.ts`). Its time (`within`), the saga's deadline and a cancel count all the same.
 */
export const decide = (
  definition: Definition,
  instance: Instance | undefined,
  input: SagaInput,
  time: Time
): readonly SagaEvent[] => {
  const { now, attemptOf } = time
  let budget = newBudget()
  const events: SagaEvent[] = []
  let state = instance
  let found = handle(definition, instance, input, { now, attemptOf, budget })
  for (;;) {
    for (const event of found) state = evolve(state, event, now)
    events.push(...found)
    if (state === undefined) return events
    // What has turned it back may be that the budget is used up, and is no reason for its undos to fail as well.
    if (found.some(({ type }) => type === 'CompensationStarted')) budget = newBudget()
    found = follow({ definition, instance: state, now, attemptOf, budget })
    if (found.length === 0) return events
    checkBound(definition, events)
  }
}

const handle = (
  definition: Definition,
  instance: Instance | undefined,
  input: SagaInput,
  { now, attemptOf, budget }: Pick<Turn, 'now' | 'attemptOf' | 'budget'>
): readonly SagaEvent[] => {
  if (instance === undefined) return input.kind === 'start' ? begin(definition, input, now) : []
  checkRevision(definition, instance)
  if (hasEnded(instance)) return []
  const turn = { definition, instance, now, attemptOf, budget }
  switch (input.kind) {
    case 'start':
      return []
    case 'answer':
      return answer(turn, input)
    case 'cancel':
      return cancel(turn, input)
    case 'timer':
      return fireTimers(turn)
  }
}

/** One microstep. */
const follow = (turn: Turn): readonly SagaEvent[] => {
  switch (turn.instance.phase) {
    case 'forward':
    case 'pivoting':
    case 'committed':
      return forward(turn)
    case 'backward':
      return backward(turn)
    case 'completed':
    case 'compensated':
      return []
  }
}

/** Each step gives a handful of events to one input at most; more means that the definition contradicts itself. */
const eventsPerStepMax = 8

const checkBound = ({ name, steps }: Definition, events: readonly SagaEvent[]): void => {
  if (events.length <= eventsPerStepMax * (steps.length + 2)) return
  throw new ParcomoloError(
    'PARCOMOLO_SAGA_DEFECT',
    `saga '${name}' does not come to rest: ${events.length} events follow from one input, the last is '${events.at(-1)!.type}'`
  )
}

const checkRevision = (definition: Definition, instance: Instance): void => {
  if (definition.revision === instance.revision && definition.name === instance.saga) return
  throw new ParcomoloError(
    'PARCOMOLO_SAGA_DEFECT',
    `instance '${instance.saga}/${instance.key}' is pinned to revision '${instance.revision}', but was given '${definition.name}' at '${definition.revision}'`
  )
}
