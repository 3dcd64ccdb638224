import { contractLimits, groupCharsMax, groupPattern, topicCharsMax, topicPattern } from '../../contract/index.ts'
import type { Field, RecordType } from './field-types.ts'

const topicField = (description: string, example: string): Field => ({
  type: { kind: 'text', what: 'topic', charsMax: topicCharsMax, pattern: topicPattern, exact: true },
  required: true,
  description: `${description} Up to ${topicCharsMax} letters, digits, '.', '_' and '-'.`,
  examples: [example],
  fixed: 'cannot change, for what is under way is in the topic that it names; make another participant'
})

export const participantSpec: RecordType = {
  kind: 'record',
  fields: {
    inbox: topicField('The topic that its commands go to.', 'inventory-commands'),
    events: topicField('The topic that its answers and events appear on; not the inbox.', 'stock-events'),
    group: {
      type: { kind: 'text', what: 'consumer group', charsMax: groupCharsMax, pattern: groupPattern, exact: true },
      description:
        'The consumer group by which it reads its inbox. What that has committed is read: only from then on is an answer overdue, and what is not read is not sent again. Without it, the answers tell how far it has read.',
      examples: ['inventory-service']
    },
    contract: {
      type: {
        kind: 'text',
        what: 'Avro protocol',
        charsMax: contractLimits.contractCharsMax,
        pattern: /\S/,
        exact: true
      },
      required: true,
      description:
        "What it understands and tells, as a protocol in Avro IDL. A message with a response is an operation: its parameter is the command, its response the reply, its errors the rejections; a 'oneway' message is an event.",
      examples: ['@namespace("shop.parcel") protocol Parcel { … }']
    }
  },
  rules: [
    {
      rule: 'self.inbox != self.events',
      message: 'the events topic is the inbox too; it needs a topic of its own',
      reason: 'FieldValueInvalid',
      at: 'events'
    }
  ]
}
