import test from 'ava'
import { budgetBytes, parseBytes } from '../../src/base/index.ts'

const sizes: readonly (readonly [string, number | undefined])[] = [
  ['0', 0],
  ['134217728', 134_217_728],
  ['256Mi', 268_435_456],
  ['1.5Gi', 1_610_612_736],
  ['2GiB', 2_147_483_648],
  ['512MB', 512_000_000],
  ['512M', 512_000_000],
  ['100k', 100_000],
  ['', undefined],
  ['max', undefined],
  ['-1Mi', undefined],
  ['256 Mi', undefined],
  ['256m', undefined],
  ['1e9', undefined],
  ['toString', undefined],
  ['1_000', undefined]
]
for (const [text, expected] of sizes) {
  test(`the size '${text}' is ${expected === undefined ? 'refused' : `${expected} bytes`}`, (t) => {
    t.is(parseBytes(text), expected)
  })
}

const mebibytesOf = (memory: number, heap: number): number => budgetBytes(memory * 2 ** 20, heap * 2 ** 20) / 2 ** 20

test('the budget is an eighth of the memory, and neither too small to work with nor without bound', (t) => {
  const memories = [16, 64, 256, 512, 1024, 6 * 1024]
  t.deepEqual(
    memories.map((memory) => mebibytesOf(memory, 4 * 1024)),
    [8, 8, 32, 64, 128, 256]
  )
})

test('the budget is at most a quarter of the heap that the code leaves', (t) => {
  t.deepEqual([mebibytesOf(512, 240), mebibytesOf(512, 140), mebibytesOf(512, 64)], [50, 25, 8])
})
