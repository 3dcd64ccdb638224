import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readContract } from '../../src/contract/index.ts'

const withHttp = (http: string): string => `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: parcel }
spec:
  inbox: parcel-commands
  events: parcel-events
  http: ${http}
  contract: |
    @namespace("shop.parcel")
    protocol Parcel { record Lost { string id; } void lost(Lost event) oneway; }
`

const problemOf = (http: string): string => {
  try {
    readContract({ path: 'parcel.yaml', text: withHttp(http) })
    return ''
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) return error.message
    throw error
  }
}

test('a participant may say where the courier calls it, and how', (t) => {
  const full =
    '{ url: https://parcel/commands, timeout: 5s, concurrency: 4, perSecond: 10, headers: [{ name: A, env: COURIER_A }, ' +
    "{ name: B, secret: b.key }, { name: C, value: 'c d' }] }"
  t.deepEqual(readContract({ path: 'parcel.yaml', text: withHttp(full) }).http, {
    ...{ url: 'https://parcel/commands', timeoutMs: 5_000, concurrency: 4, perSecond: 10 },
    headers: [
      { name: 'A', source: 'env', text: 'COURIER_A' },
      { name: 'B', source: 'secret', text: 'b.key' },
      { name: 'C', source: 'value', text: 'c d' }
    ]
  })
  const least = readContract({ path: 'parcel.yaml', text: withHttp('{ url: http://parcel }') }).http
  t.deepEqual(least, { url: 'http://parcel/', timeoutMs: 10_000, concurrency: 16, headers: [] })
})

for (const [what, http, problem] of [
  ['no URL', '{ timeout: 5s }', "parcel.yaml:7:9 spec.http: field 'url' is missing; expected 'url'"],
  ['another scheme', '{ url: ftp://parcel }', "7:16 spec.http.url: 'ftp://parcel' is refused; expected the URL"],
  ['a password', '{ url: http://a:secret@parcel }', '7:16 spec.http.url: the URL holds a user or a password'],
  ['a time too long', '{ url: http://p, timeout: 1h }', "spec.http.timeout: '1h' is refused; expected a time such as"],
  ['no calls', '{ url: http://p, concurrency: 0 }', "spec.http.concurrency: found '0'; expected a whole number from 1"],
  ['a text', '{ url: http://p, perSecond: many }', "spec.http.perSecond: found 'many'; expected a whole number"],
  ['a word', '{ url: http://p, retries: 3 }', "unknown field 'retries'"],
  ['an own header', '{ url: http://p, headers: [{ name: ce-id, value: x }] }', "header 'ce-id' is refused"],
  ['two sources', '{ url: http://p, headers: [{ name: A, value: x, env: COURIER_A }] }', "it has 2 of 'value'"],
  ['any variable', '{ url: http://p, headers: [{ name: A, env: KAFKA_SASL_PASSWORD }] }', "begins with 'COURIER_'"],
  ['a path', '{ url: http://p, headers: [{ name: A, secret: ../x }] }', 'expected the name of a file'],
  ['a header twice', '{ url: http://p, headers: [{ name: A, value: x }, { name: a, value: y }] }', "'a' is there twice"]
] as const)
  test(`${what} in spec.http is refused with its place, and without what is secret`, (t) => {
    const found = problemOf(http)
    t.true(found.includes(problem), found)
    t.false(found.includes('secret@'))
  })
