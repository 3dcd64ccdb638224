import test from 'ava'
import fc from 'fast-check'
import {
  answered,
  attemptMax,
  attemptOf,
  isAnswered,
  isParked,
  moved,
  parked,
  stateOf,
  unparked
} from '../../../src/saga/engine/slot.ts'

test('a slot keeps its state, its marks and its attempt, however many attempts there were', (t) => {
  const attempts = fc.oneof(fc.nat(3), fc.constantFrom(2 ** 25, 2 ** 26, 2 ** 31, attemptMax), fc.nat(attemptMax))
  fc.assert(
    fc.property(attempts, fc.boolean(), fc.boolean(), (attempt, isOne, isOther) => {
      let slot = moved(0, 'sent', attempt)
      if (isOne) slot = answered(answered(slot))
      if (isOther) slot = parked(parked(slot))
      t.deepEqual([attemptOf(slot), stateOf(slot)], [attempt, 'sent'])
      t.deepEqual([isAnswered(slot), isParked(slot)], [isOne, isOther])
      t.is(unparked(unparked(slot)), isOne ? answered(moved(0, 'sent', attempt)) : moved(0, 'sent', attempt))
      const later = moved(slot, 'undoPausing')
      t.deepEqual([attemptOf(later), stateOf(later), isAnswered(later)], [attempt, 'undoPausing', isOne])
      t.false(isParked(later))
    })
  )
})
