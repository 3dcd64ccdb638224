import test from 'ava'
import { orchestratorComponent, type ParticipantFacts } from '../../src/orchestrator/index.ts'
import type { Definitions } from '../../src/orchestrator/definitions.ts'
import type { PassedOver } from '../../src/orchestrator/passed-over.ts'
import { Payloads } from '../../src/orchestrator/payload.ts'
import { Readings } from '../../src/orchestrator/readings.ts'
import type { Codec } from '../../src/contract/index.ts'
import { loadSaga } from '../../src/saga/index.ts'
import type { MessageInput } from '../../src/task/index.ts'
import { contracts, saga, Stage } from './stage.ts'

const otherKey = saga.replace('key: event.orderId', `key: "'other-' + event.orderId"`)

test('a message means whom it meant when they were fetched, though the saga was edited since', async (t) => {
  const { codec } = await Stage.open(t)
  let definition = loadSaga({ path: 'saga.yaml', text: saga }, contracts)
  const definitions: Partial<Definitions> = { startable: () => [definition], cancellable: () => [] }
  const readings = new Readings(definitions as Definitions, new Payloads(codec), {} as PassedOver)
  const input = paid(codec)
  const entities = (of: MessageInput): string[] => readings.of(of).map(({ entity }) => entity)

  readings.first(input)
  definition = loadSaga({ path: 'saga.yaml', text: otherKey }, contracts)
  t.deepEqual(entities(input), ['loyalty/o1'])
  t.deepEqual(entities({ ...input, putOff: new Set(['other']) }), ['loyalty/o1'])
  t.deepEqual(entities({ ...input, putOff: new Set(['loyalty']) }), [])
  t.deepEqual(entities({ ...input, memo: undefined }), ['loyalty/other-o1'])
})

test('an instance begins on the revision that told its key, though the saga was edited since', async (t) => {
  const { codec } = await Stage.open(t)
  const before = loadSaga({ path: 'saga.yaml', text: saga }, contracts)
  let definition = before
  const definitions: Partial<Definitions> = {
    startable: () => [definition],
    cancellable: () => [],
    current: () => definition
  }
  const facts = {} as ParticipantFacts
  const component = orchestratorComponent(definitions as Definitions, codec, facts, {} as PassedOver)
  const input = paid(codec)
  t.deepEqual(component.keysOf(input), ['loyalty/o1'])
  definition = loadSaga({ path: 'saga.yaml', text: otherKey }, contracts)
  const [started] = component.decide(() => undefined, input, 0)
  t.like(started, { type: 'SagaStarted', value: { key: 'o1', revision: before.revision } })
})

const paid = (codec: Codec): MessageInput => {
  const value = { orderId: 'o1', totalCents: 1 }
  const bytes = codec.encode('test.loyalty.OrderPaid', value)
  const place = { topic: 'loyalty-events', partition: 0, offset: 0 }
  return { kind: 'message', type: 'OrderPaid', value, bytes, key: 'k', id: 'i', attempt: 1, ...place }
}
