import { partitionOf } from '../base/index.ts'
import { type Codec, readProtocolText } from '../contract/index.ts'
import type { Command, Event, Home, MessageInput } from '../task/index.ts'
import { instanceKey, type Reading } from './reading.ts'

/** The orchestrator's own: what one of its tasks has found that belongs to another. */
export const orchestratorInbox = 'orchestrator-commands'

/**
 * What an event means to an instance that lives in another partition: a start, an answer or a cancel. The task that
 * reads the event's partition is the only one that judges it; it journals this, and it is forwarded as any command is,
 * so the instance hears of it once.
 */
export const handOverProtocol = readProtocolText(
  `@namespace("parcomolo.orchestrator")
protocol Orchestrator {
  record HandedOver {
    string saga; @key string key; string kind; string type; bytes message;
    /** Of a start: the revision that it begins on, and the cancel that has come before it. */
    string revision = ""; string cancelledBy = "";
    /** Of an answer: the command's id. */
    string causationId = "";
    /** Of a cancel: the expression that has told the key. */
    string cancelKey = "";
    /** Where the event stands. */
    string topic; int partition; long offset; string recordKey;
  }
}`,
  'src/orchestrator/hand-over.ts'
)

const { fullName } = handOverProtocol.records.get('HandedOver')!

export type HandedOver = {
  readonly saga: string
  readonly key: string
  readonly kind: 'start' | 'answer' | 'cancel'
  readonly type: string
  readonly message: Uint8Array
  readonly revision: string
  readonly cancelledBy: string
  readonly causationId: string
  readonly cancelKey: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly recordKey: string
}

/** An instance lives in the partition of its saga key. What stands under that key is where it belongs. */
export const isHome = (key: string, { key: recordKey, home }: Pick<MessageInput, 'key' | 'home'>): boolean =>
  key === recordKey || isOf(key, home)

export const isOf = (key: string, home: Home | undefined): boolean =>
  home === undefined || partitionOf(key, home.partitions) === home.partition

export const handedOver = (reading: Reading, arrived: MessageInput, cancelledBy = ''): Event => {
  const { entity, input, begins, cancel } = reading
  const slash = entity.indexOf('/')
  const key = entity.slice(slash + 1)
  const value: HandedOver = {
    ...{ saga: entity.slice(0, slash), key, kind: input.kind as HandedOver['kind'] },
    ...{ type: arrived.type, message: arrived.bytes },
    ...{ revision: begins?.revision ?? '', cancelledBy, cancelKey: cancel?.key.source ?? '' },
    causationId: input.kind === 'answer' ? input.commandId : '',
    ...{ topic: arrived.topic, partition: arrived.partition, offset: arrived.offset, recordKey: arrived.key }
  }
  return { key, type: 'HandedOver', fullName, value }
}

export const isHandedOver = (event: Event): boolean => event.type === 'HandedOver' && event.fullName === fullName

export const handOverCommand = ({ value }: Event, codec: Codec): Command => {
  const { saga, key, kind, topic, partition, offset } = value as HandedOver
  return {
    ...{ inbox: orchestratorInbox, key, id: `${topic}/${partition}/${offset}/${saga}/${kind}`, type: 'HandedOver' },
    ...{ value: codec.encode(fullName, value), attempt: 1, correlationId: instanceKey(saga, key) }
  }
}

/** What was handed over here; undefined of any other input. */
export const handedOverBy = ({ topic, type, value }: MessageInput): HandedOver | undefined =>
  topic === orchestratorInbox && type === 'HandedOver' ? (value as HandedOver) : undefined

/** The event itself, where it was handed over: as it came to the task that has read it. */
export const eventOf = (input: MessageInput): MessageInput => {
  const handed = handedOverBy(input)
  if (handed === undefined) return input
  const { type, message: bytes, causationId, topic, partition, offset, recordKey: key } = handed
  const original = { type, bytes, topic, partition, offset, key, headers: undefined }
  return { ...input, ...original, causationId: causationId === '' ? undefined : causationId }
}
