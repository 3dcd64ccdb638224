import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { contractSet, readContract } from '../../src/contract/index.ts'
import { noApplication } from '../../src/application/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { systemTopics } from '../../src/main/system.ts'
import { oneTopic } from '../../src/main/one-application.ts'
import { snapshotsTopic } from '../../src/view/index.ts'
import { theShop } from '../helpers/shop-parts.ts'

type Names = { name?: string; inbox?: string; events?: string; namespace?: string; group?: string }

const textOf = ({
  name = 'zz',
  inbox = 'zz-in',
  events = 'zz-out',
  namespace = 'acme.zz',
  group = 'zz'
}: Names): string =>
  `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: ${name} }
spec:
  inbox: ${inbox}
  events: ${events}
  group: ${group}
  contract: |
    @namespace("${namespace}")
    protocol P { record A { string id; } record B { string id; } B a(A command); }
`

const read = (names: Names, services = theShop.reserved) =>
  readContract({ path: 'zz.yaml', text: textOf(names) }, services)

/** The message of the conflict that these names are refused with. */
const conflictOf = (names: Names, services = theShop.reserved): string | undefined => {
  try {
    read(names, services)
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_CONFLICT')) return error.message
    throw error
  }
  return undefined
}

/** What is made at a start where there is no participant but those of the release. */
const ownTopics = [
  ...systemTopics(contractSet([]), { application: theShop, partitions: 1 }),
  oneTopic,
  snapshotsTopic,
  ...['order', 'stock', 'payment', 'shipping'].map((name) => ({ topic: `${name}-events` })),
  ...['order', 'inventory', 'payment', 'shipping'].map((name) => ({ topic: `${name}-commands` })),
  ...['order-snapshots', 'zz-snapshots', 'zz-archive', 'orchestrator-x', '__consumer_offsets', '_schemas'].map(
    (topic) => ({ topic })
  )
]

for (const { topic } of ownTopics) {
  test(`topic '${topic}' is refused as inbox and as events topic, at its place and with its owner`, (t) => {
    t.regex(conflictOf({ inbox: topic })!, /^zz\.yaml:5:10 spec\.inbox: topic '.+' belongs to .+; expected a topic of/)
    t.regex(conflictOf({ events: topic })!, /^zz\.yaml:6:11 spec\.events: topic '.+' belongs to .+; expected a topic/)
  })
}

test('a topic that Kafka takes for one of its own is refused', (t) => {
  for (const topic of ['._consumer_offsets', '..consumer_offsets', '.schemas'])
    t.regex(conflictOf({ inbox: topic }) ?? '', /belongs to/, topic)
})

for (const namespace of ['parcomolo.saga', 'parcomolo.definition', 'parcomolo.journal', 'parcomolo.order']) {
  test(`namespace '${namespace}' is refused`, (t) => {
    t.regex(conflictOf({ namespace })!, /^zz\.yaml:8:13 spec\.contract: namespace '.+' belongs to .+; expected one of/)
  })
}

for (const name of ['orchestrator', 'operator', 'view', 'courier']) {
  test(`participant '${name}' is refused`, (t) => {
    t.regex(conflictOf({ name })!, /^zz\.yaml:3:11 metadata\.name: name '.+' belongs to .+; expected another name$/)
  })
}

test('a service of the release has its own inbox, events topic and namespace', (t) => {
  const own = { inbox: 'order-commands', events: 'order-events', namespace: 'parcomolo.order' }
  t.is(conflictOf({ name: 'order', ...own }), undefined)
  for (const key of ['inbox', 'events', 'namespace'] as const)
    t.regex(conflictOf({ name: 'order', ...own, [key]: 'mine' })!, /belongs to the service of that name, whose .+ is '/)
})

test('without the shop the names of its services are free, and those of the engine are not', (t) => {
  const own = { name: 'order', inbox: 'order-commands', events: 'order-events', namespace: 'parcomolo.order' }
  for (const names of [own, { name: 'order' }, { inbox: 'stock-events' }, { group: 'shop-parcomolo-order' }])
    t.is(conflictOf(names, noApplication.reserved), undefined)
  for (const names of [{ name: 'view' }, { inbox: 'saga-events' }, { group: 'parcomolo-order' }])
    t.regex(conflictOf(names, noApplication.reserved)!, /belongs to/)
})

test('the names of the services are those of their components and contracts', async (t) => {
  const components = theShop.services.map(({ name, journal }) => ({ name, events: journal }))
  t.deepEqual(
    theShop.reserved.map(({ name, events }) => ({ name, events })),
    components
  )
  const { all } = await readContractFiles('sagas', theShop)
  const contracts = all.map(({ participant: name, inbox, events, namespace }) => ({ name, inbox, events, namespace }))
  t.deepEqual(
    contracts.toSorted((a, b) => a.name.localeCompare(b.name)),
    theShop.reserved
      .toSorted((a, b) => a.name.localeCompare(b.name))
      .map(({ name, inbox, events, namespace }) => ({ name, inbox, events, namespace }))
  )
})

test("Parcomolo's own consumer groups are refused, also behind a prefix", (t) => {
  for (const group of ['parcomolo-orchestrator', 'parcomolo-mine', 'shop-parcomolo-order'])
    t.regex(conflictOf({ group })!, /^zz\.yaml:7:10 spec\.group: group '.+' belongs to Parcomolo/)
})

test('names that only look like reserved ones are free', (t) => {
  const names = {
    name: 'viewer',
    inbox: 'my-saga-events',
    events: 'flows',
    namespace: 'parcomolo.sagas',
    group: 'my-parcomolo-zz'
  }
  t.is(conflictOf(names), undefined)
  t.is(conflictOf({ inbox: 'snapshots', events: 'archive_', group: 'parcomolo' }), undefined)
})

test('all names of a file that are taken are told at once', (t) => {
  const names = { name: 'view', inbox: 'flow', events: 'dead-letters', namespace: 'parcomolo.saga' }
  t.is(conflictOf(names)!.split('\n').length, 4)
})

test('what is broken is told before what is taken', (t) => {
  t.throws(() => readContract({ path: 'x', text: textOf({ inbox: 'flow' }).replace('record A', 'recrod A') }), {
    code: 'PARCOMOLO_CONTRACT_INVALID'
  })
})

test('two topics that differ in dots and underscores only are one to Kafka', (t) => {
  t.throws(
    () => contractSet([read({ inbox: 'zz.in' }), read({ name: 'y', inbox: 'zz_in', events: 'y', namespace: 'y' })]),
    {
      code: 'PARCOMOLO_CONTRACT_CONFLICT',
      message:
        /^topic 'zz_in' is topic 'zz\.in' to Kafka, which belongs to the inbox of participant 'zz' and to the inbox of/
    }
  )
  t.throws(() => read({ inbox: 'zz.in', events: 'zz_in' }), {
    code: 'PARCOMOLO_CONTRACT_INVALID',
    message: /spec\.events: 'zz_in' is 'zz\.in' to Kafka, the inbox; expected a topic of its own/
  })
})
