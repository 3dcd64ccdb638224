import { nameCharsMax, namePatterns, reservedStepName, sagaLimits } from '../../saga/index.ts'
import { commandField, retryField, timeoutField, undo, withField, withinField } from './call-fields.ts'
import type { EitherType, Exclusion, Field, Fields, FlagType, ListType, RecordType } from './field-types.ts'
import { branchesRules, stepsRules } from './saga-rules.ts'
import { condition, event } from './text-types.ts'

const name: Field = {
  type: {
    kind: 'text',
    what: 'name',
    charsMax: nameCharsMax,
    pattern: namePatterns.step,
    except: {
      text: reservedStepName,
      message: `'${reservedStepName}' names the beginning of the saga; choose another name`
    },
    exact: false
  },
  required: true,
  description: `A name of its own, which no other step of the saga has: up to ${nameCharsMax} of a-z, A-Z, 0-9 and '-', a small letter first. Expressions find the reply by it, as steps.<name>.`,
  examples: ['payment']
}

const fieldsWithPivot = (pivot: FlagType): Fields => ({
  name,
  command: commandField('The command that the step sends.'),
  with: withField,
  when: {
    type: condition,
    description: 'A condition; the step is skipped where it is false.',
    defaultText: 'always',
    examples: ['start.totalCents > 0']
  },
  timeout: timeoutField,
  within: withinField,
  retry: retryField,
  onUnknown: {
    type: { kind: 'word', of: ['retry', 'compensate', 'park'] },
    description:
      'What happens when no attempt was answered: retry (a new round, at the longest pause), compensate (the saga turns back) or park (an operator decides).',
    default: 'retry'
  },
  onRejection: {
    type: { kind: 'word', of: ['compensate', 'park'] },
    description: 'What happens when the participant says no: compensate (the saga turns back) or park.',
    defaultText: "compensate; after the pivot there is none, so a step that can be rejected says 'park'"
  },
  compensate: {
    type: { kind: 'or word', record: undo, word: 'none' },
    description:
      'How the step is undone, or none for a step without effect. Every step before the pivot says it, and in a saga without a pivot every step.',
    examples: ['{ command: ReleaseStock, with: { orderId: start.orderId } }', 'none']
  },
  pivot: {
    type: pivot,
    description:
      "The point of no return: from here on the saga only moves forward. At most one step is it, outside of 'parallel'.",
    default: false
  },
  until: {
    type: event,
    description: 'An event of the same participant that ends the step, where the reply is only progress.',
    examples: ['ItemShipped']
  }
})

const pivotExclusions: readonly Exclusion[] = [
  {
    flag: 'pivot',
    field: 'compensate',
    unless: ['none'],
    message: 'the pivot is never compensated, for it is the point of no return; leave its compensation out'
  },
  {
    flag: 'pivot',
    field: 'when',
    message:
      "the pivot has a 'when'; a point of no return that may be skipped is none, so put the condition on another step"
  },
  {
    flag: 'pivot',
    field: 'until',
    message: "the pivot has an 'until'; it is reached with its reply, so put what takes longer into the next step"
  },
  {
    flag: 'pivot',
    field: 'onUnknown',
    unless: ['retry', 'park'],
    message:
      "the pivot cannot compensate when its outcome is unknown, since it may have succeeded; use 'retry' or 'park'"
  }
]

export const step: RecordType = {
  kind: 'record',
  name: 'step',
  what: 'a step',
  fields: fieldsWithPivot({ kind: 'flag' }),
  exclusions: pivotExclusions
}

const branchStep: RecordType = {
  kind: 'record',
  name: 'branchStep',
  what: 'a step',
  fields: fieldsWithPivot({
    kind: 'flag',
    refusal:
      "the pivot stands inside 'parallel', where another branch can still be rejected after it has succeeded; move it before or behind the parallel node"
  })
}

export const parallel: RecordType = {
  kind: 'record',
  name: 'parallel',
  fields: {
    parallel: {
      type: {
        kind: 'list',
        get items() {
          return branch
        },
        itemsMin: 1,
        itemsMax: sagaLimits.parallelWidth.value,
        nests: true,
        rules: branchesRules
      },
      required: true,
      description:
        'Branches that run side by side: each a step, a parallel again, or { steps: [...] }. What follows waits for all of them.'
    }
  }
}

export const sequence: RecordType = {
  kind: 'record',
  name: 'sequence',
  fields: {
    steps: {
      type: {
        kind: 'list',
        get items() {
          return branchNode
        },
        itemsMin: 1,
        itemsMax: sagaLimits.steps.value
      },
      required: true,
      description: 'The steps of a branch, one after the other.'
    }
  }
}

const branchNode: EitherType = {
  kind: 'either',
  name: 'branchNode',
  of: [
    { key: 'command', record: branchStep },
    { key: 'parallel', record: parallel }
  ],
  message: "a step has either a 'command', or 'parallel' and nothing else"
}

const branch: EitherType = {
  kind: 'either',
  name: 'branch',
  of: [...branchNode.of, { key: 'steps', record: sequence }],
  message: "a branch has either a 'command', or 'parallel' and nothing else, or 'steps' and nothing else"
}

const node: EitherType = {
  kind: 'either',
  name: 'node',
  of: [
    { key: 'command', record: step },
    { key: 'parallel', record: parallel }
  ],
  message: branchNode.message
}

/** What a saga does, from its start to its end. */
export const steps: ListType = {
  kind: 'list',
  items: node,
  itemsMin: 1,
  itemsMax: sagaLimits.steps.value,
  rules: stepsRules
}
