import test from 'ava'
import {
  canonicalJson,
  didYouMean,
  isParcomoloError,
  nearest,
  ParcomoloError,
  parseDuration,
  partitionOf,
  seededRandom,
  sha256Hex
} from '../../src/base/index.ts'
import { murmur2 } from '../../src/base/partition.ts'

const hashed = test.macro({
  title: (_, text: string) => `murmur2 of '${text}' is what Kafka computes`,
  exec: (t, text: string, expected: number) => t.is(murmur2(Buffer.from(text)), expected)
})

// From org.apache.kafka.common.utils.UtilsTest.testMurmur2: lengths that leave 0 to 3 bytes over.
test(hashed, '21', -973932308)
test(hashed, 'foobar', -790332482)
test(hashed, 'a-little-bit-long-string', -985981536)
test(hashed, 'a-little-bit-longer-string', -1486304829)
test(hashed, 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971)
test(hashed, 'abc', 479470107)

test('the partition of a key is its hash without the sign, modulo the count', (t) => {
  t.is(partitionOf('21', 12), (-973932308 & 0x7fffffff) % 12)
  t.is(partitionOf('foobar', 7), 1357151166 % 7)
  t.is(partitionOf('anything', 1), 0)
})

const durations: readonly (readonly [string, number | undefined])[] = [
  ['250ms', 250],
  ['5s', 5000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['0s', 0],
  ['5', undefined],
  ['5 s', undefined],
  ['-5s', undefined],
  ['5S', undefined],
  ['1e3s', undefined],
  ['', undefined],
  ['1234567890s', undefined]
]
for (const [text, expected] of durations) {
  test(`the duration '${text}' is ${expected === undefined ? 'refused' : `${expected} ms`}`, (t) => {
    t.is(parseDuration(text), expected)
  })
}

test('equal meaning gives equal JSON', (t) => {
  t.is(
    canonicalJson({ b: [1, { d: null, c: 'x"' }], a: true, none: undefined }),
    '{"a":true,"b":[1,{"c":"x\\"","d":null}]}'
  )
  t.is(canonicalJson([undefined, 'a']), '[null,"a"]')
  t.is(canonicalJson({ a: 1, b: 2 }), canonicalJson({ b: 2, a: 1 }))
})

test('the nearest name is found within a third of the letters, in any case', (t) => {
  const known = ['ReserveStock', 'ReleaseStock', 'ProcessPayment']
  t.is(nearest('RelaseStock', known), 'ReleaseStock')
  t.is(nearest('reservestock', known), 'ReserveStock')
  t.is(nearest('ShipOrder', known), undefined)
  t.is(nearest('', known), undefined)
  t.is(didYouMean('RelaseStock', known), "; did you mean 'ReleaseStock'?")
  t.is(didYouMean('ShipOrder', known), '')
})

test('to look for the nearest name costs little, whatever is asked for and whatever there is', (t) => {
  const padded = (i: number, letters: string): string => `sku-${i}-`.padEnd(64, letters)
  const known = Array.from({ length: 1_000 }, (_, i) => padded(i, 'ab'))
  t.is(nearest(padded(7, 'ab').replace('sku', 'suk'), known), padded(7, 'ab'))
  const before = process.cpuUsage()
  for (let i = 0; i < 10; i++) nearest(padded(i, 'ba'), known)
  t.true(process.cpuUsage(before).user < 500_000)
})

test('a name that nobody types gets no advice, and is compared with none', (t) => {
  const known = {
    *[Symbol.iterator]() {
      yield t.fail() as never
    }
  }
  t.is(nearest('x'.repeat(65), known), undefined)
  t.is(nearest('x', ['x'.repeat(65)]), undefined)
})

test('a name may be four letters off at most, however long it is', (t) => {
  const known = ['compensation-of-the-warehouse']
  t.is(nearest('compensation-of-the-warehxxxx', known), known[0])
  t.is(nearest('compensation-of-the-warexxxxx', known), undefined)
})

test('a seed decides all numbers, and another seed gives others', (t) => {
  const draw = (seed: string): number[] => {
    const random = seededRandom(seed)
    return Array.from({ length: 1000 }, random)
  }
  const numbers = draw('a')
  t.deepEqual(numbers, draw('a'))
  t.notDeepEqual(numbers, draw('b'))
  t.true(numbers.every((number) => number >= 0 && number < 1))
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  t.true(mean > 0.45 && mean < 0.55)
})

test('SHA-256 is the standard one, over text as UTF-8 and over bytes', (t) => {
  // FIPS 180-2, appendix B.1.
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  t.is(sha256Hex('abc'), expected)
  t.is(sha256Hex(Uint8Array.of(97, 98, 99)), expected)
})

test('an error carries its code, whether to try again, its facts and its cause', (t) => {
  const cause = new Error('disk')
  const error = new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'gone', { retryable: true, details: { file: 'x' }, cause })
  t.like(error, { code: 'PARCOMOLO_LOG_CLOSED', message: 'gone', retryable: true, details: { file: 'x' }, cause })
  t.true(isParcomoloError(error))
  t.true(isParcomoloError(error, 'PARCOMOLO_LOG_CLOSED'))
  t.false(isParcomoloError(error, 'PARCOMOLO_LOG_FENCED'))
  t.false(isParcomoloError(cause))
  const plain = new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'gone')
  t.false(plain.retryable)
  t.false('cause' in plain)
})
