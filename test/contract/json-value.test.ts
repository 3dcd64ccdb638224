import test from 'ava'
import { readJson, toJson } from '../../src/contract/index.ts'
import { readProtocolText } from '../../src/contract/index.ts'

const { records } = readProtocolText(`@namespace("a.b") protocol P {
  enum Kind { BIG, SMALL }
  record Line { string sku; int count; }
  record All {
    boolean flag; int i; long l; double d; bytes b; Kind kind; array<Line> lines; map<long> tags;
    union { null, Line } line; union { null, bytes } blob; string note = "none";
  }
  void all(All event) oneway;
}`)
const all = records.get('All')!

const json = {
  ...{ flag: true, i: -3, l: 9_007_199_254_740_990, d: 1.5, b: 'AP8=', kind: 'BIG' },
  ...{ lines: [{ sku: 'x', count: 1 }], tags: { de: 7 }, line: { sku: 'y', count: 2 }, blob: '' },
  note: 'hi'
}

test('every kind of value goes to JSON and comes back the same', (t) => {
  const read = readJson(all, json, true)
  t.true('value' in read)
  if (!('value' in read)) return
  t.deepEqual([...(read.value['b'] as Uint8Array)], [0, 255])
  t.deepEqual(toJson(all, read.value), json)
})

test('what has a default may be left out, null is a branch of a union', (t) => {
  const { note: _, ...without } = json
  const read = readJson(all, { ...without, line: null, blob: null }, true)
  t.true('value' in read && !('note' in read.value) && read.value['line'] === null)
})

test('each misfit is told with its path, and what is there only where its sender sees it', (t) => {
  const wrong = {
    ...json,
    l: 9_007_199_254_740_992,
    i: 1.5,
    b: 'x',
    kind: 'HUGE',
    lines: [{ sku: 5 }],
    tags: [],
    more: 1
  }
  const strict = readJson(all, wrong, true)
  const paths = ['i', 'l', 'b', 'kind', 'lines[0].sku', 'lines[0].count', 'tags', 'more']
  t.deepEqual('misfits' in strict ? strict.misfits.map(({ path }) => path) : [], paths)
  const lenient = readJson(all, { ...wrong, kind: 'SECRET' }, false)
  t.true('misfits' in lenient)
  t.false(JSON.stringify(lenient).includes('SECRET'))
  t.false(JSON.stringify(lenient).includes('more'))
  t.deepEqual(readJson(all, [], false), { misfits: [{ path: '', message: 'is a list of 0; expected an object' }] })
})
