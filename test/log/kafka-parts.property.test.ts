import test from 'ava'
import fc from 'fast-check'
import { placeName } from '../../src/log/index.ts'
import { assign, type Member } from '../../src/log/kafka/assignor.ts'
import { KeyIndex } from '../../src/log/kafka/key-index.ts'

const placesOf = (count: number) => Array.from({ length: count }, (_, partition) => ({ topic: 'journal', partition }))

/** Members that hold any of the partitions, some of them claimed by two, as after a rebalance that one has missed. */
const arbitraryMembers = (partitions: number): fc.Arbitrary<Member[]> => {
  const holds = fc.uniqueArray(
    fc.nat(partitions + 1).map((partition) => `journal/${partition}`),
    { maxLength: partitions }
  )
  return fc
    .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 6 })
    .chain((ids) => fc.tuple(...ids.map((memberId) => fc.record({ memberId: fc.constant(memberId), holds }))))
}

const arbitraryGroup = fc.nat(15).chain((partitions) => fc.tuple(fc.constant(partitions), arbitraryMembers(partitions)))

test('every partition goes to one member, and no two members differ by more than one', (t) => {
  fc.assert(
    fc.property(arbitraryGroup, ([partitions, members]) => {
      const shares = assign(placesOf(partitions), members)
      t.deepEqual([...shares.keys()].sort(), members.map(({ memberId }) => memberId).sort())
      const given = [...shares.values()].flat().map(({ partition }) => partition)
      t.deepEqual(
        given.sort((a, b) => a - b),
        placesOf(partitions).map(({ partition }) => partition)
      )
      const sizes = [...shares.values()].map(({ length }) => length)
      t.true(Math.max(...sizes) - Math.min(...sizes) <= 1)
    })
  )
})

test('what can stay stays: a member loses no more than its share is smaller, or than two hold', (t) => {
  fc.assert(
    fc.property(arbitraryGroup, ([partitions, members]) => {
      const shares = assign(placesOf(partitions), members)
      const again = [...shares].map(([memberId, places]) => ({ memberId, holds: places.map(placeName) }))
      t.deepEqual(assign(placesOf(partitions), again.toReversed()), assign(placesOf(partitions), again))
      for (const { memberId, holds } of again)
        t.deepEqual(assign(placesOf(partitions), again).get(memberId)!.map(placeName).sort(), [...holds].sort())
    })
  )
})

test('a newcomer takes only what the others have too much of', (t) => {
  const before = [
    { memberId: 'a', holds: ['journal/0', 'journal/1', 'journal/2'] },
    { memberId: 'b', holds: ['journal/3', 'journal/4', 'journal/5'] }
  ]
  const shares = assign(placesOf(6), [...before, { memberId: 'c', holds: [] }])
  for (const { memberId, holds } of before)
    t.is(shares.get(memberId)!.filter((place) => holds.includes(placeName(place))).length, 2)
  t.is(shares.get('c')!.length, 2)
})

const arbitraryKey = fc.oneof(fc.nat(50).map(String), fc.uuid(), fc.string(), fc.string({ unit: 'grapheme' }))
const arbitraryWrites = fc.array(
  fc.record({ key: arbitraryKey, isDeleted: fc.boolean(), isText: fc.boolean(), before: fc.nat(5) }),
  { maxLength: 200 }
)

test('the key index knows where the newest record of each key stands', (t) => {
  fc.assert(
    fc.property(arbitraryWrites, (writes) => {
      const index = new KeyIndex()
      const model = new Map<string, number | undefined>()
      for (const [offset, { key, isDeleted, isText, before: start }] of writes.entries()) {
        const bytes = Buffer.from(`${' '.repeat(start)}${key} `)
        if (isText) index.set({ key, value: isDeleted ? null : new Uint8Array(), offset })
        else index.setAt({ bytes, start, end: bytes.length - 1, isDeleted, offset })
        model.set(key, isDeleted ? undefined : offset)
      }
      for (const [key, offset] of model) t.is(index.get(key), offset)
      t.is(index.get('never written'), undefined)
    })
  )
})

test('the key index grows with its keys and confuses none', (t) => {
  const index = new KeyIndex()
  const count = 200_000
  for (let i = 0; i < count; i++) index.set({ key: `entity:order-${i}`, value: new Uint8Array(), offset: i })
  let wrong = 0
  for (let i = 0; i < count; i++) if (index.get(`entity:order-${i}`) !== i) wrong++
  t.is(wrong, 0)
  t.is(index.get(`entity:order-${count}`), undefined)
})
