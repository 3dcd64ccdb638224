import { type StepReply, type Type } from '../expression/index.ts'
import { type DraftNode, type DraftStep, stepsOf } from '../source/index.ts'

/** What a step's expressions, and those of its compensation, find among the replies. */
export type Replies = ReadonlyMap<string, StepReply>

export type Presences = {
  /** In `with` and `when`. */
  readonly forward: ReadonlyMap<DraftStep, Replies>
  /** In `compensate`. */
  readonly backward: ReadonlyMap<DraftStep, Replies>
  /** In `complete`. */
  readonly completed: Replies
  /** In `abort`, and in the compensation of the start. */
  readonly aborted: Replies
}

/**
 * Which replies are there when an expression is evaluated. Before a step stands what came before it in its sequence and
 * what joined before; steps side by side do not see each other, since which of them is first is chance. In a
 * compensation anything may be missing that was not surely there before its step, and what only runs from the pivot on
 * never is there.
 */
export const presencesOf = (body: readonly DraftNode[], typeOf: (step: DraftStep) => Type): Presences => {
  const steps = stepsOf(body)
  const pivot = steps.findIndex((step) => step.pivot?.value === true)
  const before = new Map<DraftStep, ReadonlySet<DraftStep>>()
  walk(body, new Set(), before)
  const describe = (presence: (step: DraftStep, index: number) => Presence): Replies =>
    new Map(steps.map((step, i) => [step.name.value, { type: typeOf(step), ...presence(step, i) }]))
  const undone = (step: DraftStep, index: number, sure: boolean): Presence => {
    if (pivot !== -1 && index >= pivot) return never('nothing is compensated once the pivot has succeeded')
    if (step.when !== undefined) return skippable
    return sure ? always : { presence: 'maybe', why: 'the saga may have turned back before it succeeded' }
  }
  const seenFrom =
    (from: DraftStep) =>
    (step: DraftStep): Presence => {
      if (step === from) return never('it is the step itself')
      if (before.get(from)!.has(step)) return ended(step)
      return never(before.get(step)!.has(from) ? 'it runs later' : 'it runs side by side with this one')
    }
  return {
    forward: new Map(steps.map((step) => [step, describe(seenFrom(step))])),
    backward: new Map(steps.map((from) => [from, describe((step, i) => undone(step, i, before.get(from)!.has(step)))])),
    completed: describe(ended),
    aborted: describe((step, i) => undone(step, i, false))
  }
}

type Presence = Omit<StepReply, 'type'>

const always: Presence = { presence: 'always', why: '' }

const skippable: Presence = { presence: 'maybe', why: "it is skipped where its 'when' is false" }

const never = (why: string): Presence => ({ presence: 'never', why })

/** Of a step that is over. */
const ended = (step: DraftStep): Presence => (step.when === undefined ? always : skippable)

/** Notes for each step what has ended before it; gives what has ended after the sequence. */
const walk = (
  nodes: readonly DraftNode[],
  earlier: ReadonlySet<DraftStep>,
  before: Map<DraftStep, ReadonlySet<DraftStep>>
): ReadonlySet<DraftStep> => {
  let over = earlier
  for (const node of nodes) {
    if (node.kind === 'parallel') {
      const start = over
      over = new Set([...start, ...node.branches.flatMap((branch) => [...walk(branch, start, before)])])
    } else {
      before.set(node, over)
      over = new Set([...over, node])
    }
  }
  return over
}
