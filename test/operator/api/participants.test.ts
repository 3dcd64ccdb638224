import type { ExecutionContext } from 'ava'
import { ParcomoloError } from '../../../src/base/index.ts'
import { openWorld, type World } from './ports.ts'
import type { Operator } from '../../../src/operator/index.ts'
import { testOnCluster, useCluster } from './cluster.ts'
import { condition, has, type Resource } from './resource.ts'
import { Stage } from './stage.ts'

const cluster = useCluster()

const openAtWork = async (t: ExecutionContext): Promise<{ stage: Stage; world: World; operator: Operator }> => {
  const world = await openWorld()
  t.teardown(() => world.close())
  const stage = await Stage.open(t, cluster)
  const operator = stage.operator(world)
  await operator.atWork
  return { stage, world, operator }
}

testOnCluster('a contract comes into force, and its commands and events are counted', async (t) => {
  const { stage, world, operator } = await openAtWork(t)
  const parcel = await stage.applyUntil(participant('parcel', ['string orderId;']), has('Ready'))
  t.like(parcel.status, { operationCount: 1, eventCount: 1, observedGeneration: 1 })
  t.is(condition(parcel, 'Ready')!.reason, 'Accepted')
  t.true('found' in world.participants.contracts().command('SendParcel'))
  await operator.stop()
  const told = await stage.events()
  t.deepEqual(
    told.map(({ type, reason, regarding }) => [type, reason, regarding.name]),
    [['Normal', 'Accepted', 'parcel']]
  )
})

testOnCluster(
  'a change that breaks readers is refused, naming subject and reason; others come into force',
  async (t) => {
    const { stage, world } = await openAtWork(t)
    await stage.applyUntil(participant('parcel', ['string orderId;']), has('Ready'))
    await stage.applyUntil(participant('parcel', ['string orderId;', 'int grams = 0;']), has('Ready'))
    const broken = participant('parcel', ['string orderId;', 'int grams = 0;', 'string colour;'])
    const refused = await stage.applyUntil(broken, has('Stalled'))
    t.is(condition(refused, 'Stalled')!.reason, 'Incompatible')
    const { message } = condition(refused, 'Ready')!
    t.regex(message, /^subject 'parcel-commands-test\.parcel\.SendParcel' refuses the schema: field 'colour' was added/)
    t.is(refused.status!.operationCount, 1)
    const command = world.participants.contracts().command('SendParcel')
    t.true('found' in command && command.found.record.fields.length === 2)
    await stage.applyUntil(
      participant('parcel', ['string orderId;', 'int grams = 0;', 'string colour = "red";']),
      has('Ready')
    )
  }
)

testOnCluster('what is wrong with a contract is told with its line, of the contract itself', async (t) => {
  const { stage } = await openAtWork(t)
  const refused = await stage.applyUntil(participant('parcel', ['string orderId;', '  strin colour;']), has('Stalled'))
  t.is(condition(refused, 'Stalled')!.reason, 'Invalid')
  t.regex(condition(refused, 'Ready')!.message, /^spec\.contract line 5, column 7: .*'strin'/)
})

testOnCluster('two participants cannot share a namespace; when the one goes the other may have it', async (t) => {
  const { stage } = await openAtWork(t)
  await stage.applyUntil(participant('parcel', ['string orderId;']), has('Ready'))
  const second = participant('parcel', ['string orderId;'])
  Object.assign(second, { metadata: { name: 'packet' } })
  Object.assign(second.spec!, { inbox: 'packet-commands', events: 'packet-events' })
  const refused = await stage.applyUntil(second, has('Stalled'))
  t.is(condition(refused, 'Stalled')!.reason, 'Conflict')
  t.regex(condition(refused, 'Ready')!.message, /namespace 'test\.parcel' belongs to participant 'parcel'/)
  await stage.delete('participants', 'parcel')
  await stage.until('participants', 'packet', has('Ready'))
  t.is(await stage.get('participants', 'parcel'), undefined)
})

testOnCluster('a registry that is away is waited for, and sagas wait with it', async (t) => {
  const { stage, world } = await openAtWork(t)
  const accept = world.participants.accept.bind(world.participants)
  const away = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'the registry does not answer', {
    retryable: true
  })
  let isAway = true
  Object.assign(world.participants, {
    accept: (it: Parameters<typeof accept>[0]) => (isAway ? Promise.reject(away) : accept(it))
  })
  const waiting = await stage.applyUntil(participant('parcel', ['string orderId;']), has('Ready', 'False'))
  t.like(condition(waiting, 'Reconciling'), { status: 'True', reason: 'Failing' })
  t.is(condition(waiting, 'Ready')!.message, 'it could not be registered: the registry does not answer')
  const saga = await stage.applyUntil(parcelSaga, has('Ready', 'False'))
  t.is(condition(saga, 'Reconciling')!.reason, 'WaitingForParticipants')
  // For longer than a saga is waited with whose participants are all there.
  await stage.when(
    () => stage.errors.length >= 5,
    () => stage.errors.join('\n')
  )
  t.is(condition(await stage.get('sagas', 'parcels'), 'Stalled')!.status, 'False')
  isAway = false
  await stage.until('participants', 'parcel', has('Ready'))
  await stage.until('sagas', 'parcels', has('Ready'))
})

testOnCluster('a saga that was in force stays so while another operator takes the participants up', async (t) => {
  const { stage, world } = await openAtWork(t)
  await stage.applyUntil(participant('parcel', ['string orderId;']), has('Ready'))
  const before = await stage.applyUntil(parcelSaga, has('Ready'))
  const fresh = await openWorld()
  t.teardown(() => fresh.close())
  const accept = fresh.participants.accept.bind(fresh.participants)
  const mayGoOn = Promise.withResolvers<void>()
  Object.assign(fresh.participants, {
    accept: async (it: Parameters<typeof accept>[0]) => {
      await mayGoOn.promise
      await accept(it)
    }
  })
  await stage.operator({ ...world, participants: fresh.participants }, { identity: 'two', leaseName: 'other' }).atWork
  const { resourceVersion } = await stage
    .applyUntil(
      { ...parcelSaga, metadata: { name: 'more' } as never },
      (found) => condition(found, 'Ready') !== undefined
    )
    .then(({ metadata }) => metadata)
  t.truthy(resourceVersion)
  const during = await stage.get('sagas', 'parcels')
  t.deepEqual(during!.status, before.status)
  mayGoOn.resolve()
  await stage.until('sagas', 'more', has('Ready'))
  t.deepEqual((await stage.get('sagas', 'parcels'))!.status, before.status)
})

const participant = (name: string, fields: readonly string[]): Partial<Resource> => ({
  apiVersion: 'parcomolo.io/v1alpha1',
  kind: 'Participant',
  metadata: { name } as Resource['metadata'],
  spec: {
    inbox: `${name}-commands`,
    events: `${name}-events`,
    contract: [
      `@namespace("test.${name}")`,
      'protocol Parcels {',
      '  record SendParcel {',
      ...fields.map((field) => `    ${field}`),
      '  }',
      '  record ParcelSent { string orderId; }',
      '  ParcelSent sendParcel(SendParcel command);',
      '  record ParcelFound { string orderId; }',
      '  void parcelFound(ParcelFound event) oneway;',
      '}',
      ''
    ].join('\n')
  }
})

const parcelSaga: Partial<Resource> = {
  apiVersion: 'parcomolo.io/v1alpha1',
  kind: 'Saga',
  metadata: { name: 'parcels' } as Resource['metadata'],
  spec: {
    start: { on: 'ParcelFound', key: 'event.orderId' },
    steps: [{ name: 'send', command: 'SendParcel', with: { orderId: 'start.orderId' }, compensate: 'none' }]
  }
}
