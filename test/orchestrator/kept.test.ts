import test from 'ava'
import type { Codec } from '../../src/contract/index.ts'
import { Payloads } from '../../src/orchestrator/payload.ts'

/** Counts what it decodes. */
const counting = () => {
  const decoded: Uint8Array[] = []
  const decode: Codec['decode'] = (bytes) => {
    decoded.push(bytes)
    return { type: 'T', fullName: 't.T', value: { first: bytes[0] } }
  }
  return { decoded, codec: { decode, whole: () => undefined } as Partial<Codec> as Codec }
}

const response = new Uint8Array(1_000_000).fill(7)
const record = response.subarray(100, 150)

test('a message that is kept owns its bytes, and pins nothing of what it came with', (t) => {
  const { codec } = counting()
  const kept = new Payloads(codec).kept('T', record)
  t.deepEqual(kept.bytes, record)
  t.is(kept.bytes.buffer.byteLength, 50)
  t.is(new Payloads(codec).kept('T', kept.bytes).bytes, kept.bytes, 'what is its own already is not copied again')
})

test('what has come is not decoded again, neither as it comes nor once it is kept', (t) => {
  const { decoded, codec } = counting()
  const payloads = new Payloads(codec)
  const value = { first: 1 }
  t.is(payloads.arrived('T', record, value).value, value)
  t.is(payloads.kept('T', record).value, value)
  t.deepEqual(decoded, [])
})

test('a kept message that is asked for again and again is decoded once; one that passes is not remembered', (t) => {
  const { decoded, codec } = counting()
  const payloads = new Payloads(codec)
  const kept = payloads.kept('T', record)
  t.deepEqual([kept.value, kept.value], [{ first: 7 }, { first: 7 }])
  t.deepEqual(decoded, [kept.bytes])
  t.deepEqual([payloads.passing('T', record).value, payloads.passing('T', record).value].length, 2)
  t.is(decoded.length, 3)
})
