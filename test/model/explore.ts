/**
 * Explicit-state model checking: every state that a model can reach, breadth first, so that the first counter-example
 * found is a shortest one.
 * A state is identified by its `key`; a *quiet* state is one in which nothing more has to happen.
 */
export type Model<S> = {
  readonly initial: S
  key(state: S): string
  /** Everything that can happen next. */
  steps(state: S): readonly Step<S>[]
  /** The property that this state breaks, as a sentence; undefined while all hold. */
  broken(state: S, isQuiet: boolean): string | undefined
}

export type Step<S> = {
  readonly label: () => string
  readonly next: S
  /** True for what need not happen: a state from which only faults lead on is quiet. */
  readonly isFault: boolean
}

export type Exploration = {
  readonly states: number
  readonly quietStates: number
  /** Steps to the farthest state. */
  readonly depth: number
  readonly counterExample?: { readonly property: string; readonly timeline: readonly string[] }
}

type Trail = { readonly parents: number[]; readonly choices: number[] }

/** Throws when there are more states than this: the bounds are then too wide for an answer. */
const statesMax = 2_000_000

export const explore = <S>(model: Model<S>): Exploration => {
  const seen = new Set<string>([model.key(model.initial)])
  const trail: Trail = { parents: [-1], choices: [-1] }
  let frontier: [index: number, state: S][] = [[0, model.initial]]
  let [quietStates, depth] = [0, 0]
  for (; frontier.length > 0; depth++) {
    const following: [number, S][] = []
    for (const [index, state] of frontier) {
      const steps = model.steps(state)
      const isQuiet = steps.every((step) => step.isFault)
      if (isQuiet) quietStates++
      const property = model.broken(state, isQuiet)
      if (property !== undefined) {
        return {
          states: seen.size,
          quietStates,
          depth,
          counterExample: { property, timeline: retell(model, trail, index) }
        }
      }
      steps.forEach((step, choice) => {
        const key = model.key(step.next)
        if (seen.has(key)) return
        following.push([seen.size, step.next])
        seen.add(key)
        trail.parents.push(index)
        trail.choices.push(choice)
      })
    }
    if (seen.size > statesMax) throw new Error(`the model has more than ${statesMax} states: narrow its bounds`)
    frontier = following
  }
  return { states: seen.size, quietStates, depth }
}

/** What happened on the way to a state: labels are made only here. */
const retell = <S>(model: Model<S>, trail: Trail, index: number): string[] => {
  const choices: number[] = []
  for (let i = index; i > 0; i = trail.parents[i]!) choices.unshift(trail.choices[i]!)
  let state = model.initial
  return choices.map((choice, number) => {
    const step = model.steps(state)[choice]!
    state = step.next
    return `${String(number + 1).padStart(2)}. ${step.label()}`
  })
}
