import test from 'ava'
import fc from 'fast-check'
import { parseDocument, visit } from 'yaml'
import { seededRandom } from '../../../src/base/index.ts'
import { load } from './fixture.ts'

/** Every part of the language, so that a change of each can be seen. */
const base = `apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata:
  name: test
spec:
  start:
    on: Started
    key: event.id
    compensate: { command: Refund, with: { id: start.id, reason: failure.type } }
  cancel: { on: Stopped, key: event.id }
  deadline: 1h
  steps:
    - name: a
      command: Take
      with: { i: 5, b: true, s: "'text'", labels: { de: start.id }, ints: [1, start.count] }
      when: start.count > 3
      timeout: 5s
      retry: { attempts: 3, backoff: 100ms, factor: 3, cap: 5s, jitter: 0.1 }
      onUnknown: compensate
      onRejection: park
      compensate: { command: Refund, with: { id: start.id }, timeout: 7s, retry: { attempts: 9 } }
    - parallel:
        - { name: b, command: Ship, with: { id: start.id }, compensate: none }
        - steps:
            - { name: c, command: Ship, with: { id: start.id }, compensate: none }
            - { name: d, command: Ship, with: { id: start.id }, compensate: none }
    - { name: p, command: Ship, pivot: true, with: { id: start.id } }
    - { name: e, command: Ship, until: Arrived, with: { id: start.id } }
  complete: { emit: Finished, with: { id: start.id } }
  abort: { emit: Finished, with: { id: start.id, note: failure.message } }
`

const revision = load(base).revision

test('the revision is 12 hexadecimal digits that only a change of the canonical form may change', (t) => {
  t.is(revision, '37389556362a')
})

const changed = (changes: readonly (readonly [from: string, to: string])[]): string =>
  changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`'${from}' is not in the text`)
    return text.replace(from, to)
  }, base)

/** Other ways to write the same. */
const same: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  'names with their participant': [
    ['command: Take', 'command: shop.Take'],
    ['on: Started', 'on: test.shop.Started'],
    ['until: Arrived', 'until: shop.Arrived']
  ],
  'defaults that are written out': [
    ['name: b,', 'name: b, timeout: 10s, onUnknown: retry, onRejection: compensate, pivot: false,'],
    ['name: c,', 'name: c, retry: { attempts: 5, backoff: 200ms, factor: 2, cap: 10s, jitter: 0.2 },'],
    ['name: e,', 'name: e, onRejection: park,'],
    ['retry: { attempts: 9 }', 'retry: { attempts: 9, backoff: 200ms, factor: 2, cap: 60s, jitter: 0.2 }']
  ],
  'durations in other units': [
    ['deadline: 1h', 'deadline: 60m'],
    ['timeout: 5s', 'timeout: 5000ms']
  ],
  'nothing to undo, said or not': [['pivot: true,', 'pivot: true, compensate: none,']],
  'blanks around expressions': [['when: start.count > 3', "when: '  start.count > 3 '"]],
  'literals as text': [
    ['i: 5,', 'i: "5",'],
    ['b: true,', "b: 'true',"]
  ],
  'other metadata': [['name: test', 'name: test\n  labels: { team: shop }']],
  aliases: [
    [
      'with: { id: start.id }, compensate: none }\n        - steps',
      'with: &id { id: start.id }, compensate: none }\n        - steps'
    ],
    ['name: d, command: Ship, with: { id: start.id }', 'name: d, command: Ship, with: *id']
  ]
}

for (const [title, changes] of Object.entries(same)) {
  test(`the revision stays: ${title}`, (t) => {
    t.is(load(changed(changes)).revision, revision)
  })
}

/** Each changes what a run does. */
const other: readonly (readonly [from: string, to: string])[] = [
  ['name: test', 'name: test2'],
  ['on: Started', 'on: Taken'],
  ['key: event.id', 'key: event.id + event.id'],
  ['reason: failure.type', 'reason: failure.step'],
  ['compensate: { command: Refund, with: { id: start.id, reason: failure.type } }\n', '\n'],
  ['{ on: Stopped,', '{ on: Settled,'],
  ['  cancel: { on: Stopped, key: event.id }\n', ''],
  ['deadline: 1h', 'deadline: 2h'],
  ['  deadline: 1h\n', ''],
  ['name: a', 'name: aa'],
  ['i: 5', 'i: 6'],
  ['i: 5, ', ''],
  ['b: true', 'b: false'],
  ["'text'", "'texts'"],
  ['{ de: start.id }', '{ en: start.id }'],
  ['[1, start.count]', '[start.count, 1]'],
  ['[1, start.count]', '"[1, start.count]"'],
  ['start.count > 3', 'start.count > 4'],
  ['      when: start.count > 3\n', ''],
  ['timeout: 5s', 'timeout: 6s'],
  ['attempts: 3', 'attempts: 4'],
  ['backoff: 100ms', 'backoff: 101ms'],
  ['factor: 3', 'factor: 3.5'],
  ['cap: 5s', 'cap: 6s'],
  ['jitter: 0.1', 'jitter: 0'],
  ['onUnknown: compensate', 'onUnknown: park'],
  ['onRejection: park', 'onRejection: compensate'],
  ['timeout: 7s', 'timeout: 8s'],
  ['retry: { attempts: 9 }', 'retry: { attempts: 8 }'],
  ['compensate: { command: Refund, with: { id: start.id }, timeout: 7s, retry: { attempts: 9 } }', 'compensate: none'],
  ['name: b, command: Ship', 'name: b, command: Assess'],
  ['        - steps:\n            - { name: c', '        - { name: c'],
  ['name: p, command: Ship, pivot: true,', 'name: p, command: Ship, compensate: none,'],
  [', until: Arrived', ''],
  ['until: Arrived', 'until: Stopped'],
  ['complete: { emit: Finished', 'complete: { emit: shop.Taken'],
  ['  complete: { emit: Finished, with: { id: start.id } }\n', ''],
  ['note: failure.message', 'note: failure.type'],
  ['  abort: { emit: Finished, with: { id: start.id, note: failure.message } }\n', '']
]

/** What else has to change, for the file to stay right. */
const follow: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  'on: Taken': [
    ['start.count > 3', "start.id != ''"],
    ['start.count', '2']
  ],
  '        - { name: c': [['            - { name: d', '        - { name: d']],
  'name: p, command: Ship, compensate: none,': [['until: Arrived,', 'until: Arrived, compensate: none,']]
}

test('every change of meaning gives a revision of its own', (t) => {
  const seen = new Map([[revision, 'base']])
  for (const change of other) {
    const title = change.join(' → ')
    const found = load(changed([change, ...(follow[change[1]] ?? [])])).revision
    t.is(seen.get(found), undefined, title)
    seen.set(found, title)
  }
  t.is(seen.size, other.length + 1)
})

const styles = ['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const

/**
 * The base as some other author would have written it: order of keys, style of scalars and collections, comments,
 * indentation.
 */
const rewritten = (next: () => number, indent: number): string => {
  const document = parseDocument(base)
  visit(document, {
    Map: (_, map) => {
      const order = new Map(map.items.map((pair) => [pair, next()]))
      map.items.sort((a, b) => order.get(a)! - order.get(b)!)
      map.flow = next() < 0.3
    },
    Seq: (_, seq) => {
      seq.flow = next() < 0.3
    },
    Scalar: (key, scalar) => {
      if (typeof scalar.value === 'string' && key !== 'key') scalar.type = styles[Math.floor(next() * styles.length)]!
      if (next() < 0.1) scalar.comment = ' remark'
    }
  })
  return document.toString({ indent, lineWidth: next() < 0.5 ? 40 : 0 })
}

test('the revision does not depend on how the YAML is written', (t) => {
  const texts = new Set<string>()
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 8 }), (seed, indent) => {
      const text = rewritten(seededRandom(seed), indent)
      texts.add(text)
      t.is(load(text).revision, revision, text)
    }),
    { numRuns: 60 }
  )
  t.true(texts.size > 30)
})
