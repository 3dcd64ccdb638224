import { readProtocolText } from '../../src/contract/index.ts'
import type { Component } from '../../src/task/index.ts'

/** A component small enough to see through: it adds up what it is told, and can be asked to ring later. */
export const protocol = readProtocolText(`@namespace("test.counter")
protocol Counter {
  record Add { string name; long amount; }
  record Added { string name; long amount; }
  record RingAt { string name; long at; }
  record AlarmSet { string name; long at; }
  record Rang { string name; }
  record Close { string name; }
  record Closed { string name; }
  record Tell { string name; long amount; }
  record Told { string name; string inbox; bytes command; }
  record Note { string name; string text; }
  record Noted { string name; string text; }
}`)

export type Counter = {
  readonly sum: number
  readonly alarmAt: number | undefined
  readonly closed: boolean
  readonly told: number
  readonly note: string
}

const none: Counter = { sum: 0, alarmAt: undefined, closed: false, told: 0, note: '' }

/** `tell`: where commands of `Tell` go; `encode` makes their bytes. */
export const counterComponent = (
  name: string,
  tell = 'none',
  encode: (value: object) => Uint8Array = () => new Uint8Array()
): Component<Counter> => ({
  name,
  journal: `${name}-events`,
  inbox: `${name}-commands`,
  reads: [],
  keysOf: (input) => (input.kind === 'timer' ? [input.key] : [String(input.value['name'])]),
  decide: (entity, input) => {
    if (input.kind === 'timer') return [{ key: input.key, type: 'Rang', value: { name: input.key } }]
    const key = String(input.value['name'])
    const event = (type: string, value: object) => [
      { key, type, value: { name: key, ...value }, causationId: input.id }
    ]
    switch (input.type) {
      case 'Add':
        return entity(key)?.closed === true ? [] : event('Added', { amount: input.value['amount'] })
      case 'RingAt':
        return event('AlarmSet', { at: input.value['at'] })
      case 'Close':
        return event('Closed', {})
      case 'Note':
        return event('Noted', { text: input.value['text'] })
      case 'Tell':
        return event('Told', { inbox: tell, command: encode({ name: key, amount: input.value['amount'] }) })
      default:
        throw new TypeError(`a '${input.type}' is not for a counter`)
    }
  },
  touches: (event) => [String(event.value['name'])],
  evolve: (counter = none, event) => {
    switch (event.type) {
      case 'Added':
        return { ...counter, sum: counter.sum + Number(event.value['amount']) }
      case 'AlarmSet':
        return { ...counter, alarmAt: Number(event.value['at']) }
      case 'Rang':
        return { ...counter, alarmAt: undefined }
      case 'Closed':
        return { ...counter, closed: true }
      case 'Noted':
        return { ...counter, note: String(event.value['text']) }
      default:
        return { ...counter, told: counter.told + 1 }
    }
  },
  dueAt: (counter) => counter.alarmAt,
  hasEnded: (counter) => counter.closed,
  commandsOf: (event) =>
    event.type !== 'Told'
      ? []
      : [
          {
            inbox: tell,
            key: event.key,
            id: `tell/${String(event.causationId)}`,
            type: 'Add',
            value: event.value['command'] as Uint8Array,
            attempt: 1,
            correlationId: 'tell'
          }
        ],
  snapshot: {
    encode: (counter) => Buffer.from(JSON.stringify(counter)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Counter
  }
})
