import type { Field, ListType, RecordType, TextType } from './field-types.ts'

/** What the status of a resource holds at most; the operator shortens what is longer. */
export const statusLimits = { messageChars: 32_768, runningRevisions: 100 } as const

const text = (what: string, charsMax: number, pattern?: RegExp): TextType => ({
  kind: 'text',
  what,
  charsMax,
  ...(pattern && { pattern }),
  exact: true
})

const count = (description: string): Field => ({
  type: { kind: 'number', whole: true, min: 0 },
  description
})

const observedGeneration = count('The generation of the resource that this was found out about.')

const condition: RecordType = {
  kind: 'record',
  fields: {
    type: {
      type: text('type', 316, /^[A-Z][A-Za-z0-9]*$/),
      required: true,
      description:
        'Ready: the latest spec is in force. Reconciling: the operator is at work on it. Stalled: it cannot be brought into force as it stands.'
    },
    status: {
      type: { kind: 'word', of: ['True', 'False', 'Unknown'] },
      required: true,
      description: 'Whether it is so; Unknown until the operator has looked.'
    },
    observedGeneration: { ...observedGeneration, required: true },
    lastTransitionTime: {
      type: { ...text('time', 64), format: 'date-time' },
      required: true,
      description: 'When the status last changed.'
    },
    reason: {
      type: text('reason', 1024, /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
      required: true,
      description: 'Why it is so, in one word for programs.'
    },
    message: {
      type: text('message', statusLimits.messageChars),
      required: true,
      description: 'Why it is so, for people; what is wrong with a spec, and where.'
    }
  }
}

const conditions: Field = {
  type: { kind: 'list', items: condition, itemsMin: 0, itemsMax: 8, mapKey: 'type' },
  description: 'What is known of the resource.'
}

const revision = (description: string): Field => ({
  type: text('revision', 64, /^[0-9a-f]+$/),
  description
})

const running: ListType = {
  kind: 'list',
  itemsMin: 0,
  itemsMax: statusLimits.runningRevisions,
  mapKey: 'revision',
  items: {
    kind: 'record',
    fields: {
      revision: { ...revision('The revision that they follow to their end.'), required: true },
      count: { ...count('How many instances run on it.'), required: true },
      current: {
        type: { kind: 'flag' },
        required: true,
        description: 'Whether new instances follow it.'
      }
    }
  }
}

export const sagaStatus: RecordType = {
  kind: 'record',
  fields: {
    observedGeneration,
    conditions,
    revision: revision('The revision that new instances follow; it stays when a later spec is refused.'),
    stepCount: count("How many steps that revision has, those inside 'parallel' included."),
    runningCount: count('How many instances run, of whatever revision; brought up to date every few seconds.'),
    running: {
      type: running,
      description: `The running instances by revision, at most ${statusLimits.runningRevisions} revisions; the current one is always among them.`
    }
  }
}

export const participantStatus: RecordType = {
  kind: 'record',
  fields: {
    observedGeneration,
    conditions,
    operationCount: count('How many commands the registered contract has.'),
    eventCount: count('How many events the participant tells of by itself, beside its answers.')
  }
}
