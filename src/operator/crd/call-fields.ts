import { showDuration } from '../../base/index.ts'
import { policyDefaults, retryRanges, sagaLimits } from '../../saga/index.ts'
import type { Field, RecordType } from './field-types.ts'
import { command, duration, values } from './text-types.ts'

const pauseMax = showDuration(sagaLimits.pauseMs.value)

const { retry: stepRetry, undoRetry, timeoutMs } = policyDefaults

export const commandField = (description: string): Field => ({
  type: command,
  required: true,
  description: `${description} Where two participants have a command of that name: participant.Name.`,
  examples: ['ReserveStock', 'inventory.ReserveStock']
})

export const withField: Field = {
  type: values,
  description:
    'A value for each field of the record: an expression in CEL, or a record or list of such, written in YAML. Fields that have a default may be left out.',
  examples: ['{ orderId: start.orderId, lines: start.lines }']
}

export const timeoutField: Field = {
  type: duration,
  description: `How long one attempt waits for its answer, from when the participant has read the command, from 1ms to ${pauseMax}.`,
  default: showDuration(timeoutMs),
  examples: ['5s']
}

export const withinField: Field = {
  type: duration,
  description: `How long the command is of use in all, from when it was first sent, waiting in the inbox and all attempts included, from 1ms to ${showDuration(sagaLimits.deadlineMs.value)}; what is over leads to onUnknown, an undo is parked.`,
  defaultText: "the saga's deadline, up to the pivot",
  examples: ['10m']
}

export const retry: RecordType = {
  kind: 'record',
  name: 'retry',
  fields: {
    attempts: {
      type: { kind: 'number', whole: true, min: 1, max: sagaLimits.attempts.value },
      description: 'How often the command is sent at most, the first time included; always with the same id.',
      defaultText: `${stepRetry.attempts}, of an undo ${undoRetry.attempts}`
    },
    backoff: {
      type: duration,
      description: `The pause after the first attempt, at most ${pauseMax}.`,
      default: showDuration(stepRetry.backoffMs)
    },
    factor: {
      type: { kind: 'number', whole: false, min: retryRanges.factor[0], max: retryRanges.factor[1] },
      description: 'How much longer each pause is than the one before.',
      default: stepRetry.factor
    },
    cap: {
      type: duration,
      description: `The longest pause, at most ${pauseMax} and not below 'backoff'.`,
      defaultText: `${showDuration(stepRetry.capMs)}, of an undo ${showDuration(undoRetry.capMs)}; 'backoff' where that is longer`
    },
    jitter: {
      type: { kind: 'number', whole: false, min: retryRanges.jitter[0], max: retryRanges.jitter[1] },
      description: 'The share by which pauses vary, so that retries do not come all at once.',
      default: stepRetry.jitter
    }
  }
}

export const retryField: Field = {
  type: retry,
  description: 'How often and after which pauses a command without an answer is sent again.'
}

/** What undoes a step, or what began before the saga. */
export const undo: RecordType = {
  kind: 'record',
  name: 'undo',
  fields: {
    command: commandField('The command that undoes it.'),
    with: withField,
    timeout: timeoutField,
    within: withinField,
    retry: retryField,
    onRejection: {
      type: { kind: 'word', of: ['park'] },
      description:
        'What happens when the participant refuses the undo: park (an operator decides). An undo whose command has rejections in its contract says it.',
      defaultText: 'none; an undo whose command can be rejected must say it'
    }
  }
}
