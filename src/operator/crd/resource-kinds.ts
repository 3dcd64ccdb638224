import { participantPattern } from '../../contract/index.ts'
import { nameCharsMax, namePatterns } from '../../saga/index.ts'
import type { Field, RecordType, TextType } from './field-types.ts'
import { participantSpec } from './participant-fields.ts'
import { participantNames, type ResourceNames, sagaNames } from './resources.ts'
import { sagaSpec } from './saga-fields.ts'
import { participantStatus, sagaStatus } from './status-fields.ts'

/** One kind of resource: all that its schemas, its columns and its documentation are made of. */
export type ResourceKind = {
  readonly names: ResourceNames
  readonly description: string
  readonly name: Field & { readonly type: TextType }
  readonly spec: RecordType
  readonly specDescription: string
  readonly status: RecordType
  readonly statusDescription: string
  readonly columns: readonly Column[]
  /** Fields of `spec` that `kubectl get --field-selector` can ask for. */
  readonly selectable: readonly string[]
}

export type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly path: string
  readonly description: string
  /** Only with `-o wide`. */
  readonly wide?: boolean
}

const nameField = (of: string, type: Pick<TextType, 'pattern' | 'exact'>, example: string): ResourceKind['name'] => ({
  type: { kind: 'text', what: 'name', charsMax: nameCharsMax, ...type },
  required: true,
  description: `The ${of}'s name: up to ${nameCharsMax} of a-z, 0-9 and '-', a letter first, no '-' at the end.`,
  examples: [example]
})

const ofReady = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`

const ready: readonly Column[] = [
  { name: 'Ready', type: 'string', path: ofReady('status'), description: 'Whether the latest spec is in force.' },
  { name: 'Reason', type: 'string', path: ofReady('reason'), description: 'Why it is, or is not.' }
]

const ageAndMessage: readonly Column[] = [
  { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'How long it has been there.' },
  { name: 'Message', type: 'string', path: ofReady('message'), description: 'The reason in full.', wide: true }
]

const sagaKind: ResourceKind = {
  names: sagaNames,
  description:
    'A saga: commands to participants, one after the other or side by side, and how each is undone when a later one is refused.',
  name: nameField('saga', { pattern: namePatterns.saga, exact: false }, 'order'),
  spec: sagaSpec,
  specDescription: 'What the saga does. Running instances finish as they began; new ones follow what is written here.',
  status: sagaStatus,
  statusDescription: 'What the operator says of it.',
  columns: [
    ...ready,
    { name: 'Steps', type: 'integer', path: '.status.stepCount', description: 'How many steps it has.' },
    { name: 'Running', type: 'integer', path: '.status.runningCount', description: 'How many instances run.' },
    { name: 'Revision', type: 'string', path: '.status.revision', description: 'What new instances follow.' },
    ...ageAndMessage
  ],
  // Not `start.on`: whoever wrote it without quotes has it as `true`, and would be passed over.
  selectable: []
}

const participantKind: ResourceKind = {
  names: participantNames,
  description: 'A service that takes commands and tells events: its topics, and the contract of what it understands.',
  name: nameField('participant', { pattern: participantPattern, exact: true }, 'inventory'),
  spec: participantSpec,
  specDescription: 'Its topics and its contract.',
  status: participantStatus,
  statusDescription: 'What the operator says of it.',
  columns: [
    ...ready,
    { name: 'Inbox', type: 'string', path: '.spec.inbox', description: 'Where its commands go.' },
    { name: 'Events', type: 'string', path: '.spec.events', description: 'Where its answers and events appear.' },
    { name: 'Operations', type: 'integer', path: '.status.operationCount', description: 'How many commands it has.' },
    ...ageAndMessage
  ],
  selectable: ['inbox', 'events']
}

export const resourceKinds: readonly ResourceKind[] = [sagaKind, participantKind]
