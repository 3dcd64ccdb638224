import { gzipSync, zstdCompressSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { decompressed } from '../../src/log/kafka/decompress.ts'
import { decodeBatches } from '../../src/log/kafka/record-batch.ts'

/** What an encoder may write: bytes as they are, or a copy of `count` from `distance` bytes before. */
type Step = { readonly literal: Buffer } | { readonly distance: number; readonly count: number }

const [snappyCodec, lz4Codec] = [2, 3]
const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((list) => Buffer.from(list))

/** Steps that are possible: the first is a literal, and no copy reaches before the start. */
const steps = fc
  .array(fc.record({ literal: bytes, back: fc.nat(), count: fc.integer({ min: 4, max: 64 }) }), {
    minLength: 1,
    maxLength: 30
  })
  .map((list) => {
    const chosen: Step[] = []
    let length = 0
    for (const { literal, back, count } of list) {
      chosen.push({ literal })
      length += literal.length
      chosen.push({ distance: 1 + (back % Math.min(length, 60_000)), count })
      length += count
    }
    // An lz4 block ends with literals.
    return [...chosen, { literal: Buffer.from('.') }]
  })

/** The oracle: each byte by itself. */
const outputOf = (list: readonly Step[]): Buffer => {
  const output: number[] = []
  for (const step of list) {
    if ('literal' in step) output.push(...step.literal)
    else for (let i = 0; i < step.count; i++) output.push(output[output.length - step.distance]!)
  }
  return Buffer.from(output)
}

const varint = (value: number): Buffer =>
  value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), varint(value >>> 7)])
const little = (value: number, length: number): Buffer => {
  const written = Buffer.alloc(length)
  written.writeUIntLE(value, 0, length)
  return written
}
const big = (value: number): Buffer => little(value, 4).reverse()

const snappyBlock = (list: readonly Step[]): Buffer =>
  Buffer.concat([
    varint(outputOf(list).length),
    ...list.map((step) => {
      if (!('literal' in step)) return snappyCopy(step)
      const length = step.literal.length - 1
      const head = length < 60 ? Buffer.of(length << 2) : Buffer.concat([Buffer.of(61 << 2), little(length, 2)])
      return Buffer.concat([head, step.literal])
    })
  ])

/** The shortest of the three forms that takes it; of each third distance the longest. */
const snappyCopy = ({ distance, count }: { readonly distance: number; readonly count: number }): Buffer => {
  if (distance % 3 === 0) return Buffer.concat([Buffer.of(((count - 1) << 2) | 3), little(distance, 4)])
  if (distance < 2048 && count < 12) return Buffer.of(((distance >>> 8) << 5) | ((count - 4) << 2) | 1, distance & 255)
  return Buffer.concat([Buffer.of(((count - 1) << 2) | 2), little(distance, 2)])
}

const xerial = (blocks: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('\x82SNAPPY\0', 'latin1'),
    big(1),
    big(1),
    ...blocks.flatMap((block) => [big(block.length), block])
  ])

const lz4Length = (length: number): { readonly nibble: number; readonly more: number[] } => {
  if (length < 15) return { nibble: length, more: [] }
  const rest = length - 15
  return { nibble: 15, more: [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255] }
}

const lz4Block = (list: readonly Step[]): Buffer => {
  const parts: Buffer[] = []
  for (let i = 0; i < list.length; i += 2) {
    const { literal } = list[i] as { literal: Buffer }
    const copy = list[i + 1] as { distance: number; count: number } | undefined
    const own = lz4Length(literal.length)
    const copied = lz4Length(copy === undefined ? 0 : copy.count - 4)
    parts.push(Buffer.of((own.nibble << 4) | copied.nibble), Buffer.from(own.more), literal)
    if (copy !== undefined) parts.push(little(copy.distance, 2), Buffer.from(copied.more))
  }
  return Buffer.concat(parts)
}

const lz4Frame = (list: readonly Step[], flags: number): Buffer => {
  const checksum = (bit: number): Buffer => Buffer.alloc((flags & bit) === 0 ? 0 : 4)
  const size = (flags & 8) === 0 ? Buffer.alloc(0) : little(outputOf(list).length, 6)
  const plain = Buffer.from('as it is')
  const block = lz4Block(list)
  return Buffer.concat([
    ...[little(0x184d2204, 4), Buffer.of(0x40 | flags, 0x70), size, size.length === 0 ? size : Buffer.alloc(2)],
    ...[Buffer.of(0), little(block.length, 4), block, checksum(0x10)],
    ...[little(0x80000000 + plain.length, 4), plain, checksum(0x10), little(0, 4), checksum(4)]
  ])
}

test('what snappy has packed is read, as one block and in the framing of Java', (t) => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (blocks) => {
      t.deepEqual(decompressed(snappyBlock(blocks[0]!), snappyCodec), outputOf(blocks[0]!))
      const framed = xerial(blocks.map(snappyBlock))
      t.deepEqual(decompressed(framed, snappyCodec), Buffer.concat(blocks.map(outputOf)))
      const twice = [...blocks, ...blocks].map(outputOf)
      t.deepEqual(decompressed(Buffer.concat([framed, framed]), snappyCodec), Buffer.concat(twice))
    })
  )
})

test('what lz4 has packed is read, whatever stands beside it in the frame', (t) => {
  const skipped = Buffer.concat([little(0x184d2a53, 4), little(3, 4), Buffer.from('...')])
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 4, 8, 0x10, 0x20, 0x3c), (list, flags) => {
      const frame = lz4Frame(list, flags)
      const expected = Buffer.concat([outputOf(list), Buffer.from('as it is')])
      t.deepEqual(decompressed(frame, lz4Codec), expected)
      t.deepEqual(decompressed(Buffer.concat([frame, skipped, frame]), lz4Codec), Buffer.concat([expected, expected]))
    })
  )
})

test('bytes that are damaged give an error or other bytes, and never more than they may', (t) => {
  const most = 20_000
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.option(fc.nat(), { freq: 3 }) })
  fc.assert(
    fc.property(steps, damage, (list, { at, byte, cut }) => {
      const plain = outputOf(list)
      const packed = [
        [1, gzipSync(plain)],
        [2, snappyBlock(list)],
        [2, xerial([snappyBlock(list)])],
        [3, lz4Frame(list, 0)],
        [4, zstdCompressSync(plain)]
      ] as const
      for (const [codec, sound] of packed) {
        const damaged = Buffer.from(sound.subarray(0, cut === null ? sound.length : cut % sound.length))
        if (damaged.length > 0) damaged[at % damaged.length] = byte
        try {
          t.true(decompressed(damaged, codec, most).length <= most)
        } catch (error) {
          t.true(error instanceof Error)
        }
      }
    })
  )
})

test('what becomes longer than it may is refused before it has, whatever it says of itself', (t) => {
  const long = Buffer.alloc(100_000)
  const copies = [{ literal: Buffer.of(0) }, { distance: 1, count: 99_998 }, { literal: Buffer.of(0) }]
  const tooLong = [
    [1, gzipSync(long), /larger than 1000 bytes/],
    [2, snappyBlock([{ literal: Buffer.alloc(2_000) }]), /more than 1000 bytes/],
    [2, Buffer.concat([varint(2 ** 31 - 1), Buffer.of(0, 0)]), /more than 1000 bytes/],
    [3, lz4Frame(copies, 0), /more than 1000 bytes/],
    [4, zstdCompressSync(long), /larger than 1000 bytes/]
  ] as const
  for (const [codec, packed, message] of tooLong) t.throws(() => decompressed(packed, codec, 1000), { message })
})

test('what is no format of a codec is refused with the reason', (t) => {
  const cases = [
    [snappyCodec, Buffer.of(5, 0, 1), /became 1 bytes, and said 5/],
    [snappyCodec, Buffer.of(4, (0 << 5) | 1, 1), /copies from 1 bytes before, where there is nothing/],
    [snappyCodec, Buffer.of(255, 255, 255, 255, 255, 1), /more than five bytes/],
    [snappyCodec, Buffer.of(9, 32, 1), /cut off/],
    [lz4Codec, Buffer.from('lz4 it is not'), /frame begins with/],
    [lz4Codec, Buffer.concat([little(0x184d2204, 4), Buffer.of(0x80, 0, 0)]), /version '2'/],
    [lz4Codec, Buffer.concat([little(0x184d2204, 4), Buffer.of(0x41, 0, 0)]), /dictionary/],
    [5, Buffer.alloc(3), /'5' is the number of no codec/]
  ] as const
  for (const [codec, packed, message] of cases) t.throws(() => decompressed(packed, codec), { message })
})

/** Of twelve records each, as the console producer of Kafka 4.3 sent them to a topic with compression.type=producer. */
const ofJava = {
  snappy:
    'AAAAAAAAAAAAAAFwAAAAAAKoLHMuAAIAAAALAAABoiyWlk4AAAGiLJaY0gAAAAAAAAAzAAAAAAAAAAAADIJTTkFQUFkAAAAAAQAAAAEAAAErzAjwPLABAAAAAaIBeyJvcmRlciI6Im8tMSIsImxpbmVzIjpbeyJza3UiOiJib29rIiwicXVhbnRpdHkiOjF9LHsNHBBsYW1wIjYcACBdfQCyAQCICgI6WwAAMo5bAAQyfWZbAAAyFVsABDpbAAAzjlsAADNqWwAAMxVbAAY6WwAANI5bAAA0alsAADQVWwAIOlsAADWOWwAANWpbAAA1FVsACjpbAAA2jlsAADZqWwAANhVbAAw6WwAAN45bAAA3alsAADcVWwAOOlsAADiOWwAAOGpbAAA4FVsAEDpbAAA5jlsAADlqWwAAOQFbALhB2AgSAag2MwMAMI5cAAQxMGpdAAQxMBVeABQ+XgCWkgNykwMAMRVeABY+XgCSlQMAMW6WAxQxMn1dfQA=',
  lz4: 'AAAAAAAAAAwAAAFjAAAAAAL6bZzRAAMAAAALAAABoiyWsmIAAAGiLJa0JwAAAAAAAAA0AAAAAAAAAAAADAQiTRhgQIIjAQAA9C2wAQAAAAGiAXsib3JkZXIiOiJvLTEiLCJsaW5lcyI6W3sic2t1IjoiYm9vayIsInF1YW50aXR5IjoxfSwcAEtsYW1wHACbXX0AsgEAgAcCWwAfMlsAER8yWwAIFTJbABsEWwAfM1sAER8zWwAIFTNbABsGWwAfNFsAER80WwAIEzRbADuIBwhbAB81WwARHzVbAAgVNVsAGwpbAB82WwARHzZbAAgVNlsAGwxbAB83WwARHzdbAAgVN1sAGw5bAB84WwARHzhbAAgVOFsAGxBbAB85WwARHzlbAAgQOVsAELjHAToSAagzAx8wXAARLzEwXQAIJTEwXgAcFF4AD5IDEw+TAwoBlANsuAEAigcWXgAPlQMSHzGWAwlgMTJ9XX0AAAAAAA=='
}

test("what Java's producer compresses is read", (t) => {
  const lines = (n: number): object[] => ['book', 'lamp'].map((sku) => ({ sku, quantity: n }))
  const orders = Array.from({ length: 12 }, (_, i) => ({ order: `o-${i + 1}`, lines: lines(i + 1) }))
  for (const [codec, batch] of Object.entries(ofJava)) {
    const { records } = decodeBatches(Buffer.from(batch, 'base64'), 0)
    t.deepEqual(
      records.map(({ value }) => JSON.parse(Buffer.from(value!).toString()) as object),
      orders,
      codec
    )
  }
})
