import { type Call } from '../definition/index.ts'
import { type About, type SagaEvent } from './instance.ts'
import { finish, send } from './send.ts'
import { attemptOf, isParked, slotOf, stateOf } from './slot.ts'
import { about, isDue, start, type Turn, undoOf } from './turn.ts'
import { type Found, walk } from './walk.ts'

/**
 * What follows while the saga goes backward: the undo of all that was sent and not rejected, last to first, then of the
 * start. A step in flight is the last of its branch, so its undo is sent at once; participants refuse a command that
 * comes after its undo.
 */
export const backward = (turn: Turn): readonly SagaEvent[] => {
  const { definition } = turn
  const steps = walk(definition.body, 'backward', (index) => {
    const step = definition.steps[index]!
    return goBack(turn, about(step), step.compensate)
  })
  const found = steps === 'through' ? goBack(turn, start, definition.start.compensate) : steps
  if (typeof found === 'object') return [found]
  if (found === 'busy') return []
  return finish(turn, { step: 'abort', index: start.index, undo: true }, definition.abort, 'SagaCompensated')
}

const goBack = (turn: Turn, undone: About, call: Call | undefined): Found => {
  const slot = slotOf(turn.instance, undone.index)
  if (isParked(slot)) return 'busy'
  switch (stateOf(slot)) {
    case 'idle':
    case 'skipped':
    case 'rejected':
    case 'undone':
      return 'through'
    case 'undoing':
      return 'busy'
    case 'undoPausing':
      return isDue(turn, undone.index) ? send(turn, undoOf(undone, call!), attemptOf(slot)) : 'busy'
    default:
      return call === undefined ? 'through' : send(turn, undoOf(undone, call), 1)
  }
}
