import test from 'ava'
import type { Definitions } from '../../src/orchestrator/definitions.ts'
import type { PassedOver } from '../../src/orchestrator/passed-over.ts'
import { Payloads } from '../../src/orchestrator/payload.ts'
import { Readings } from '../../src/orchestrator/readings.ts'
import { loadSaga } from '../../src/saga/index.ts'
import type { MessageInput } from '../../src/task/index.ts'
import { contracts, saga, Stage } from './stage.ts'

test('a message means whom it meant when they were fetched, though the saga was edited since', async (t) => {
  const { codec } = await Stage.open(t)
  let definition = loadSaga({ path: 'saga.yaml', text: saga }, contracts)
  const definitions: Partial<Definitions> = { startable: () => [definition], cancellable: () => [] }
  const readings = new Readings(definitions as Definitions, new Payloads(codec), {} as PassedOver)
  const value = { orderId: 'o1', totalCents: 1 }
  const bytes = codec.encode('test.loyalty.OrderPaid', value)
  const place = { topic: 'loyalty-events', partition: 0, offset: 0 }
  const input: MessageInput = {
    kind: 'message',
    type: 'OrderPaid',
    value,
    bytes,
    key: 'k',
    id: 'i',
    attempt: 1,
    ...place
  }
  const entities = (of: MessageInput): string[] => readings.of(of).map(({ entity }) => entity)

  readings.first(input)
  const text = saga.replace('key: event.orderId', `key: "'other-' + event.orderId"`)
  definition = loadSaga({ path: 'saga.yaml', text }, contracts)
  t.deepEqual(entities(input), ['loyalty/o1'])
  t.deepEqual(entities({ ...input, putOff: new Set(['other']) }), ['loyalty/o1'])
  t.deepEqual(entities({ ...input, putOff: new Set(['loyalty']) }), [])
  t.deepEqual(entities({ ...input, memo: undefined }), ['loyalty/other-o1'])
})
