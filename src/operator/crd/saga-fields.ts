import { showDuration } from '../../base/index.ts'
import { sagaLimits } from '../../saga/index.ts'
import { undo, withField } from './call-fields.ts'
import type { Field, Fields, RecordType } from './field-types.ts'
import { sagaRules } from './saga-rules.ts'
import { steps } from './step-fields.ts'
import { duration, event, expression } from './text-types.ts'

const eventField = (description: string, example: string): Field => ({
  type: event,
  required: true,
  description: `${description} Where two participants have an event of that name: participant.Name.`,
  examples: [example],
  // YAML 1.1 has it so, and kubectl and Helm read that.
  alias: 'true'
})

const keyField = (description: string): Field => ({
  type: expression,
  required: true,
  description: `${description} An expression in CEL over 'event'; it gives a text.`,
  examples: ['event.orderId']
})

const start: RecordType = {
  kind: 'record',
  fields: {
    on: eventField('The event that starts a saga: one event, one saga.', 'OrderPlaced'),
    key: keyField('The key that tells sagas apart.'),
    compensate: {
      type: { kind: 'or word', record: undo, word: 'none' },
      description: 'Undoes what began before the saga, last of all.',
      default: 'none',
      examples: ['{ command: RejectOrder, with: { orderId: start.orderId, reason: failure.type }, onRejection: park }']
    }
  }
}

const cancel: RecordType = {
  kind: 'record',
  fields: {
    on: eventField('The event that turns the saga back, up to the pivot.', 'OrderCancelled'),
    key: keyField('The key of the saga that is meant.')
  }
}

const end: RecordType = {
  kind: 'record',
  fields: {
    emit: {
      type: event,
      required: true,
      description: 'The event that is written to saga-events.',
      examples: ['OrderCompleted']
    },
    with: withField
  }
}

const specFields: Fields = {
  start: { type: start, required: true, description: 'What starts a saga.' },
  cancel: { type: cancel, description: 'What cancels a saga.', defaultText: 'nothing does' },
  deadline: {
    type: duration,
    description: `How long a saga may take from its start to its pivot, at most ${showDuration(sagaLimits.deadlineMs.value)}; then it turns back. The timeouts before the pivot are below it.`,
    defaultText: 'none',
    examples: ['1h']
  },
  steps: {
    type: steps,
    required: true,
    description:
      "What the saga does, one after the other: a step, or 'parallel'. Each begins when all before it have ended."
  },
  complete: {
    type: end,
    description: 'The event that tells of the good end.',
    defaultText: 'none'
  },
  abort: {
    type: end,
    description: 'The event that tells that all has been undone.',
    defaultText: 'none'
  }
}

export const sagaSpec: RecordType = { kind: 'record', fields: specFields, rules: sagaRules }
