import type { Map } from './corpus.ts'

export type Path = readonly (string | number)[]

/** Changes a value, which stands under that key; undefined takes it away. */
export type Mutation = { readonly name: string; readonly change: (value: unknown, key: string | number) => unknown }

const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  1001,
  '',
  ' ',
  'x',
  'Start',
  'start',
  'none',
  'retry',
  'compensate',
  'park',
  '0s',
  '250ms',
  '1.5m',
  '8d',
  '366d',
  '1w',
  '5 s',
  '999999999.999ms',
  'x'.repeat(64),
  'x'.repeat(513),
  `'${'x'.repeat(1998)}'`,
  `'${'x'.repeat(1999)}'`,
  [],
  [1],
  ['none'],
  {},
  { command: 'Ship' },
  { command: 'Ship', with: { id: 'start.id' } },
  { steps: [] },
  { parallel: [] },
  [{ name: 'again', command: 'Ship', with: { id: 'start.id' }, compensate: 'none' }]
]

const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value)

const repeated = (count: number): Mutation => ({
  name: `its items ${count} times over`,
  change: (value) => (Array.isArray(value) ? Array.from({ length: count }, (_, i) => renamed(value[0], i)) : value)
})

const renamed = (item: unknown, i: number): unknown =>
  isMap(item) && typeof item['name'] === 'string' ? { ...item, name: `${item['name']}-${i}` } : item

export const mutations: readonly Mutation[] = [
  { name: 'left out', change: () => undefined },
  ...values.map((value) => ({
    name: `made ${JSON.stringify(value).slice(0, 60)}`,
    change: () => structuredClone(value)
  })),
  { name: 'with another key', change: (value) => (isMap(value) ? { ...value, another: 1 } : value) },
  { name: 'with a condition', change: (value) => (isMap(value) ? { ...value, when: true } : value) },
  { name: 'with a pivot', change: (value) => (isMap(value) ? { ...value, pivot: true } : value) },
  { name: 'with a parallel', change: (value) => (isMap(value) ? { ...value, parallel: [value] } : value) },
  { name: 'with an until', change: (value) => (isMap(value) ? { ...value, until: 'Arrived' } : value) },
  { name: 'with no undo', change: (value) => (isMap(value) ? { ...value, compensate: 'none' } : value) },
  { name: 'in a list', change: (value) => [value] },
  { name: 'with blanks', change: (value) => (typeof value === 'string' ? ` ${value}\n` : value) },
  { name: 'as a text', change: (value) => (typeof value === 'object' ? value : String(value)) },
  { name: 'without its last', change: (value) => (Array.isArray(value) ? value.slice(0, -1) : value) },
  { name: 'backwards', change: (value) => (Array.isArray(value) ? value.toReversed() : value) },
  repeated(20),
  repeated(21),
  repeated(100),
  repeated(101)
]

/** The places of all values inside a value. */
export const pathsOf = (value: unknown, path: Path = []): Path[] => {
  const inner = Array.isArray(value) ? [...value.entries()] : isMap(value) ? Object.entries(value) : []
  return inner.flatMap(([key, member]) => [[...path, key], ...pathsOf(member, [...path, key])])
}

/** A copy with one value changed. */
export const mutated = (document: Map, path: Path, { change }: Mutation): Map => {
  const copy = structuredClone(document)
  const key = path.at(-1)!
  const owner = path.slice(0, -1).reduce<unknown>((value, each) => (value as Map)[each], copy) as Map
  const value = change(owner[key], key)
  if (value !== undefined) owner[key] = value
  else if (Array.isArray(owner)) owner.splice(Number(key), 1)
  else delete owner[key]
  return copy
}
