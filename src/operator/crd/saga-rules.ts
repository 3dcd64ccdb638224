import type { Rule } from './field-types.ts'

/*
 * Rules on a saga's list of steps, in CEL. `dyn` reaches fields that the API server gives no type, such as
 * `compensate`, which is a record or the word none. A list of true and false says where something is: `indexOf` is -1
 * where it is not. What stands deeper than a branch's own steps is left to the operator, for the API server bounds what
 * a rule may cost.
 */

const isPivot = (step: string): string => `has(${step}.pivot) && ${step}.pivot`

const pivotAt = `self.map(s, ${isPivot('s')}).indexOf(true)`

/** Whether all steps of a node are so, or some: itself, its branches, and the steps of its branches. */
const steps = (quantifier: 'all' | 'exists', condition: (step: string) => string): string => {
  const one = (step: string): string =>
    quantifier === 'all' ? `!has(${step}.command) || ${condition(step)}` : `has(${step}.command) && ${condition(step)}`
  const branch = `has(b.steps) ? b.steps.${quantifier}(c, ${one('c')}) : ${one('b')}`
  return `has(s.parallel) ? s.parallel.${quantifier}(b, ${branch}) : ${one('s')}`
}

const saysUndo = steps('all', (step) => `has(dyn(${step}).compensate)`)
const firstWithoutUndo = `self.map(s, ${saysUndo}).indexOf(false)`

const lastWhere = (condition: (step: string) => string): string =>
  `self.map(s, ${steps('exists', condition)}).lastIndexOf(true)`

const hasUndo = (step: string): string => `has(dyn(${step}).compensate) && dyn(${step}).compensate != 'none'`
const turnsBack = (step: string): string =>
  `(has(${step}.onUnknown) && ${step}.onUnknown == 'compensate' || has(${step}.onRejection) && ${step}.onRejection == 'compensate')`

const second = 'a second step has the name of another; a name stands for one step'

export const stepsRules: readonly Rule[] = [
  {
    rule: `self.filter(s, ${isPivot('s')}).size() <= 1`,
    message: 'a second pivot; there is at most one point of no return',
    reason: 'FieldValueInvalid'
  },
  {
    rule: `${firstWithoutUndo} == -1 || ${pivotAt} != -1 && ${firstWithoutUndo} >= ${pivotAt}`,
    message:
      "a step does not say how it is undone, as every step before the pivot must, and every step of a saga without one; add 'compensate: { command: …, with: {…} }', or 'compensate: none' where it has no effect",
    reason: 'FieldValueRequired'
  },
  {
    rule: `${pivotAt} == -1 || ${lastWhere(hasUndo)} <= ${pivotAt}`,
    message:
      'a step after the pivot has a compensation, and from there nothing is compensated; leave it out, or move the step before the pivot',
    reason: 'FieldValueForbidden'
  },
  {
    rule: `${pivotAt} == -1 || ${lastWhere(turnsBack)} <= ${pivotAt}`,
    message: "a step after the pivot cannot compensate; use 'park', or 'retry' for 'onUnknown'",
    reason: 'FieldValueForbidden'
  },
  {
    rule: 'self.all(s, !has(s.name) || self.exists_one(t, has(t.name) && t.name == s.name))',
    message: second,
    reason: 'FieldValueInvalid'
  },
  {
    rule: 'self.all(s, !has(s.parallel) || s.parallel.all(b, !has(b.name) || !self.exists(t, has(t.name) && t.name == b.name)))',
    message: second,
    reason: 'FieldValueInvalid'
  }
]

export const branchesRules: readonly Rule[] = [
  {
    rule: 'self.all(b, !has(b.name) || self.exists_one(c, has(c.name) && c.name == b.name))',
    message: second,
    reason: 'FieldValueInvalid'
  }
]

export const sagaRules: readonly Rule[] = [
  {
    rule: '!has(self.cancel) || !has(self.cancel.on) || !has(self.start.on) || self.cancel.on != self.start.on',
    message: 'the event that starts the saga cannot cancel it too; name another event',
    reason: 'FieldValueInvalid',
    at: 'cancel'
  }
]
