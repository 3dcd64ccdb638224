import {
  contractLimits,
  groupCharsMax,
  groupPattern,
  httpLimits,
  httpPatterns,
  topicCharsMax,
  topicPattern
} from '../../contract/index.ts'
import type { Field, RecordType, TextType } from './field-types.ts'
import { duration } from './text-types.ts'

const topicField = (description: string, example: string): Field => ({
  type: { kind: 'text', what: 'topic', charsMax: topicCharsMax, pattern: topicPattern, exact: true },
  required: true,
  description: `${description} Up to ${topicCharsMax} letters, digits, '.', '_' and '-'.`,
  examples: [example],
  fixed: 'cannot change, for what is under way is in the topic that it names; make another participant'
})

const text = (what: string, charsMax: number, pattern: RegExp): TextType => ({
  kind: 'text',
  ...{ what, charsMax, pattern, exact: true }
})

export const header: RecordType = {
  kind: 'record',
  name: 'header',
  fields: {
    name: {
      type: text('header', 128, httpPatterns.headerName),
      required: true,
      description: 'Its name; none that HTTP or the courier sets itself.',
      examples: ['Authorization']
    },
    value: {
      type: text('text', httpLimits.headerCharsMax, httpPatterns.value),
      description: 'Its value, where everybody may see it.'
    },
    env: {
      type: text('variable', 128, httpPatterns.env),
      description: "The variable of the courier's environment that holds its value; its name begins with COURIER_.",
      examples: ['COURIER_BILLING_TOKEN']
    },
    secret: {
      type: text('file', 253, httpPatterns.secret),
      description:
        'The file in the folder PARCOMOLO_COURIER_SECRETS that holds its value, read anew as it changes: in the cluster a key of the Secret that courier.secret of the chart names.',
      examples: ['billing-token']
    }
  },
  rules: [
    {
      rule: '[has(self.value), has(self.env), has(self.secret)].exists_one(it, it)',
      message: "a header has one of 'value', 'env' and 'secret'",
      reason: 'FieldValueInvalid'
    }
  ]
}

const http: RecordType = {
  kind: 'record',
  fields: {
    url: {
      type: text('URL', httpLimits.urlCharsMax, httpPatterns.url),
      required: true,
      description: 'Where the courier sends each command, by POST; http or https, without user and password.',
      examples: ['http://billing/commands']
    },
    timeout: { type: duration, description: 'The time of one call, up to 10m.', default: '10s', examples: ['5s'] },
    concurrency: {
      type: { kind: 'number', whole: true, min: 1, max: httpLimits.concurrencyMax },
      description: 'Calls at a time, of each process with the role courier.',
      default: httpLimits.concurrency
    },
    perSecond: {
      type: { kind: 'number', whole: true, min: 1, max: httpLimits.perSecondMax },
      description: 'Calls a second, of each process with the role courier.',
      defaultText: 'as many as come'
    },
    headers: {
      type: { kind: 'list', items: header, itemsMin: 0, itemsMax: httpLimits.headersMax, mapKey: 'name' },
      description: 'Headers that each call has beside those of CloudEvents.',
      examples: ['[{ name: Authorization, secret: billing-token }]']
    }
  }
}

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
    http: {
      type: http,
      description:
        'For a participant that speaks HTTP and not Kafka: the courier reads its inbox and writes its events.'
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
    },
    {
      rule: '!has(self.http) || !has(self.group)',
      message: "it has 'http' too, and so the courier reads its inbox; leave one out",
      reason: 'FieldValueInvalid',
      at: 'group'
    }
  ]
}
