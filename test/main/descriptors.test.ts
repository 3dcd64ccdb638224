import test from 'ava'
import { connectionLimits, descriptorsMax } from '../../src/main/descriptors.ts'

test('of few descriptors more than a third is left for files', (t) => {
  t.deepEqual(connectionLimits(256), { connectionsMax: 124, doorCount: 4 })
  t.deepEqual(connectionLimits(20_000), { connectionsMax: 17_340, doorCount: 64 })
})

test('there are always some connections, and any number where nothing bounds them', (t) => {
  t.deepEqual(connectionLimits(100), { connectionsMax: 16, doorCount: 1 })
  t.deepEqual(connectionLimits(undefined), { connectionsMax: Infinity, doorCount: 64 })
})

test('the system tells how many descriptors there may be', (t) => {
  const found = descriptorsMax()
  t.true(found === undefined || found > 16, String(found))
})
