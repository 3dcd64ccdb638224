import type { ViewRecord } from '../../src/view/record.ts'
import { foldSaga, type SagaRow } from '../../src/view/sagas.ts'
import { recordMaker } from './records.ts'

/** What is told of one instance, and its row after that. */

const about = { saga: 'order', key: 'o1' }
export const sagaRecords = (told: readonly (readonly [type: string, value?: object])[]): ViewRecord[] => {
  const record = recordMaker()
  return told.map(([type, value]) => record('saga', type, { ...about, ...value }))
}
export const sagaAfter = (...told: (readonly [type: string, value?: object])[]): SagaRow =>
  sagaRecords(told).reduce<SagaRow | undefined>((row, record) => foldSaga(row, record), undefined)!

export const start = ['SagaStarted', { revision: 'r1', startType: 'OrderPlaced', deadlineAt: null }] as const
export const issued = (step: string, attempt = 1, undo = false) =>
  ['CommandIssued', { step, attempt, undo, command: 'Do', commandId: 'x', inbox: 'i', dueAt: 1 }] as const
export const succeeded = (step: string) => ['StepSucceeded', { step, replyType: 'Done' }] as const
export const failing = ['CompensationStarted', { failure: { type: 'Declined', step: 'b', message: 'no' } }] as const
