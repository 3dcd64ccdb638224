import { limitText, sagaLimits } from './limits.ts'

/**
 * What the expressions of one turn may still cost. The unit is an operation, some 30 ns; ten characters that a function
 * looks at are one. Counted, never timed: what is decided again costs the same again.
 */
export type CostBudget = { left: number }

/** For one input of an instance, or one key. */
export const newBudget = (): CostBudget => ({ left: sagaLimits.turnCost.value })

let running: CostBudget = { left: 0 }

/** Takes the cost from the budget of the expression that runs. Throws where it is not there. */
export const charge = (cost: number): void => {
  running.left -= cost
  if (running.left < 0) throw overspent
}

/** CEL may absorb an error, and go on to the next: an error costs much more than any operation. */
const failureCost = 1000

export const fail = (message: string): never => {
  charge(failureCost)
  throw new RangeError(message)
}

/**
 * Runs an expression on a budget. CEL lets `true || error` be true, so what was overspent is looked for at the end too.
 */
export const onBudget = <T>(budget: CostBudget, run: () => T): T => {
  running = budget
  try {
    return run()
  } finally {
    checkSpending(budget)
  }
}

const checkSpending = ({ left }: CostBudget): void => {
  if (left < 0) throw overspent
}

/** One for all, since it may be thrown and absorbed very often before the end. */
const overspent = new RangeError(
  `it costs too much with this data; ${limitText(sagaLimits.turnCost)}, for all expressions of one turn`
)

/** Of going through a text once. */
export const scanCost = (chars: number): number => chars / 10

/** Of looking for one text in another, which at worst compares all of it at each place. */
export const searchCost = (chars: number, soughtChars: number): number =>
  scanCost(chars) * Math.max(1, scanCost(soughtChars))
