import test from 'ava'
import { ParcomoloError, partitionOf } from '../../src/base/index.ts'
import { orchestratorComponent, type ParticipantFacts } from '../../src/orchestrator/index.ts'
import type { Definitions } from '../../src/orchestrator/definitions.ts'
import type { PassedOver } from '../../src/orchestrator/passed-over.ts'
import { Payloads } from '../../src/orchestrator/payload.ts'
import { Readings } from '../../src/orchestrator/readings.ts'
import type { Codec } from '../../src/contract/index.ts'
import { type Definition, loadSaga } from '../../src/saga/index.ts'
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

test('a start that was handed over waits for its revision; where there is none, it is a dead letter', async (t) => {
  const { codec } = await Stage.open(t)
  const definition = loadSaga({ path: 'saga.yaml', text: saga }, contracts)
  let known: Definition | undefined
  const missing = new ParcomoloError('PARCOMOLO_ORCHESTRATOR_REVISION_MISSING', 'it is not there')
  const definitions = {
    revision: () => known,
    pinned: () => known ?? missing,
    caughtUp: async () => void (known = definition)
  } as unknown as Definitions
  const component = orchestratorComponent(definitions, codec, {} as ParticipantFacts, {} as PassedOver)
  const { revision } = definition
  const { bytes } = paid(codec)
  const value = {
    ...{ saga: 'loyalty', key: 'o1', kind: 'start', type: 'OrderPaid', message: bytes, revision },
    ...{ cancelledBy: '', causationId: '', cancelKey: '', topic: 'loyalty-events', partition: 1, offset: 0 },
    recordKey: 'k'
  }
  const home = { partition: partitionOf('o1', 4), partitions: 4 }
  const input = { ...paid(codec), type: 'HandedOver', value, topic: 'orchestrator-commands', key: 'o1', home }
  t.deepEqual(component.keysOf(input), ['loyalty/o1'])
  t.deepEqual(component.beginnings!.lanesOf(input), ['loyalty'])
  t.throws(() => component.decide(() => undefined, input, 0), { is: missing })
  const needs = component.needs!(input)!
  t.deepEqual(needs.values, [bytes])
  await needs.known!()
  t.deepEqual(component.needs!(input), { values: [bytes] })
  t.like(component.decide(() => undefined, input, 0)[0], { type: 'SagaStarted', key: 'o1', value: { key: 'o1' } })
  t.is(component.needs!(paid(codec)), undefined)
  t.deepEqual(component.keysOf({ ...input, type: 'Other' }), [])
})

const paid = (codec: Codec): MessageInput => {
  const value = { orderId: 'o1', totalCents: 1 }
  const bytes = codec.encode('test.loyalty.OrderPaid', value)
  const place = { topic: 'loyalty-events', partition: 0, offset: 0 }
  return { kind: 'message', type: 'OrderPaid', value, bytes, key: 'k', id: 'i', attempt: 1, ...place }
}
