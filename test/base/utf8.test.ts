import test from 'ava'
import fc from 'fast-check'
import { decodeUtf8 } from '../../src/base/index.ts'

const told = test.macro({
  title: (_, what: string) => `${what} is no UTF-8, at this line and column`,
  exec: (t, _: string, bytes: readonly number[], [line, column, byte]: readonly [number, number, number]) =>
    t.deepEqual(decodeUtf8(Uint8Array.from(bytes)), { line, column, byte })
})

test(told, 'a letter of Latin-1', [0x61, 0x0a, 0xc3, 0xa4, 0xfc, 0x62], [2, 2, 0xfc])
test(told, 'UTF-16', [0xff, 0xfe, 0x61, 0x00], [1, 1, 0xff])
test(told, 'a character that is cut at the end', [0x61, 0x0d, 0x62, 0xe2, 0x82], [2, 2, 0xe2])
test(told, 'a character that does not go on', [0x61, 0xe2, 0x28, 0xa1], [1, 2, 0xe2])
test(told, 'an overlong form', [0xc0, 0x80], [1, 1, 0xc0])
test(told, 'half a pair of surrogates', [0xed, 0xa0, 0x80], [1, 1, 0xed])

test('what is UTF-8 is its text, without a byte order mark', (t) => {
  t.is(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), 'a')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      t.is(decodeUtf8(Buffer.from(`x${text}`)), `x${text}`)
    })
  )
})
