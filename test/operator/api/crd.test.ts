import test from 'ava'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { isParcomoloError } from '../../../src/base/index.ts'
import { loadSaga } from '../../../src/saga/index.ts'
import { kubeAssets } from '../../helpers/api-server.ts'
import { contracts } from '../../saga/load/fixture.ts'
import { type Map, participants, sagas } from '../crd/corpus.ts'
import { mutated, mutations, pathsOf } from '../crd/mutations.ts'
import { sample } from '../crd/sample.ts'
import { brokenParticipants, brokenSagas, largest, participant, saga, step } from './resource-cases.ts'
import { definitionOf, pathOf, type ResourceServer, startResourceServer } from './resource-server.ts'

let server: ResourceServer

if (kubeAssets === undefined) test.skip('resources: KUBEBUILDER_ASSETS names no API server', () => undefined)
else {
  test.before(async () => {
    server = await startResourceServer()
  })
  test.after.always(() => server?.stop())
  testTaken()
  testRefused()
  testServed()
  testStatus()
}

function testTaken(): void {
  test('the API server takes both definitions as they are', async (t) => {
    for (const plural of ['sagas', 'participants'] as const) {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.parcomolo.io`
      const { body } = await server.request('GET', path)
      const { conditions } = body['status'] as { conditions: { type: string; status: string }[] }
      t.deepEqual(conditions.map(({ type, status }) => `${type} ${status}`).sort(), [
        'Established True',
        'NamesAccepted True'
      ])
      t.like(body, { spec: definitionOf(plural)['spec'] as Map })
    }
  })

  for (const { path, value } of sagas) {
    test(`${path} is taken, and nothing of it is lost`, async (t) => {
      const { status, body } = await server.dryRun('sagas', value)
      t.is(status, 201, JSON.stringify(body))
      t.deepEqual(body['spec'], value['spec'])
    })
  }

  test('all participants are taken, and nothing of them is lost', async (t) => {
    for (const value of participants) {
      const { status, body } = await server.dryRun('participants', value)
      t.is(status, 201, JSON.stringify(body))
      t.deepEqual(body['spec'], value['spec'])
    }
  })

  test("'on' is taken as kubectl reads it too", async (t) => {
    const value = saga({ start: { true: 'Started', key: 'event.id' }, steps: [step] })
    const { status, body } = await server.dryRun('sagas', value)
    t.is(status, 201, JSON.stringify(body))
    t.deepEqual(body['spec'], value['spec'])
  })

  for (const [name, value] of largest) {
    test(`a saga of ${name} is taken`, async (t) => {
      const { status, body } = await server.dryRun('sagas', value)
      t.is(status, 201, JSON.stringify(body))
    })
  }

  // All but blanks around names, which YAML's blocks bring with them and the loader passes over.
  test('what the loader takes, the API server takes', async (t) => {
    const changes = fc.record({ at: fc.nat(), mutation: fc.constantFrom(...mutations) })
    const property = fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 2 }), async (list) => {
      const value = list.reduce((each, { at, mutation }) => {
        const paths = pathsOf(each).filter(([top]) => top === 'spec')
        return paths.length === 0 ? each : mutated(each, paths[at % paths.length]!, mutation)
      }, sample())
      if (list.some(({ mutation }) => mutation.name === 'with blanks') || !loads(value)) return
      const { status, body } = await server.dryRun('sagas', value)
      if (status !== 201) throw new Error(`${stringify(value)}\n${String(body['message'])}`)
    })
    await t.notThrowsAsync(() => fc.assert(property, { numRuns: 300 }))
  })
}

const loads = (value: Map): boolean => {
  try {
    loadSaga({ path: 's.yaml', text: stringify(value, { aliasDuplicateObjects: false }) }, contracts)
    return true
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return false
    throw error
  }
}

function testRefused(): void {
  const refused = test.macro(async (t, plural: string, value: Map, message: string) => {
    const { status, body } = await server.dryRun(plural, value)
    t.true([400, 422].includes(status), `${status}`)
    t.true(String(body['message']).includes(message), String(body['message']))
  })
  for (const [name, value, message] of brokenSagas) {
    test(`a saga with ${name} is refused at once`, refused, 'sagas', value, message)
  }
  for (const [name, value, message] of brokenParticipants) {
    test(`a participant with ${name} is refused at once`, refused, 'participants', value, message)
  }

  test('the topics of a participant stay as they are; its contract may change', async (t) => {
    const path = `${pathOf('participants')}/fixed`
    const fixed = (spec: Map): Map => ({ ...participant(spec), metadata: { name: 'fixed' } })
    t.is((await server.apply(path, fixed({}))).status, 201)
    t.is((await server.apply(path, fixed({ contract: 'protocol Parcel { record A {} }' }))).status, 200)
    for (const topic of ['inbox', 'events']) {
      const { status, body } = await server.apply(path, fixed({ [topic]: 'another' }))
      t.is(status, 422)
      t.true(String(body['message']).includes(`spec.${topic}: Forbidden: '${topic}' cannot change`))
    }
  })
}

function testServed(): void {
  test('both have short names, and the category parcomolo', async (t) => {
    const { body } = await server.request('GET', '/apis/parcomolo.io/v1alpha1')
    const resources = (body['resources'] as Map[]).map(({ name, shortNames, categories }) => [
      name,
      shortNames,
      categories
    ])
    t.deepEqual(resources.sort(), [
      ['participants', ['ptc'], ['parcomolo']],
      ['participants/status', undefined, undefined],
      ['sagas', ['sg'], ['parcomolo']],
      ['sagas/status', undefined, undefined]
    ])
  })

  test("'kubectl get' shows what is in force, what is wrong and what runs", async (t) => {
    await server.create('sagas', saga({ steps: [step] }, 'shown'))
    const condition = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' }
    const conditions = [{ ...condition, type: 'Ready', status: 'False', reason: 'Invalid', message: 'the reason' }]
    const status = { conditions, stepCount: 3, runningCount: 7, revision: '0123456789ab' }
    const patch = { body: { status }, contentType: 'application/merge-patch+json' }
    t.is((await server.request('PATCH', `${pathOf('sagas')}/shown/status`, patch)).status, 200)
    const { columns, rows } = await server.table('sagas')
    t.deepEqual(columns, ['Name', 'Ready', 'Reason', 'Steps', 'Running', 'Revision', 'Age', 'Message'])
    const [row] = rows.filter(([name]) => name === 'shown')
    t.deepEqual(row!.toSpliced(6, 1), ['shown', 'False', 'Invalid', 3, 7, '0123456789ab', 'the reason'])
    const participantColumns = ['Name', 'Ready', 'Reason', 'Inbox', 'Events', 'Operations', 'Age', 'Message']
    t.deepEqual((await server.table('participants')).columns, participantColumns)
  })

  test('participants are found by their topics', async (t) => {
    const value = participant({ inbox: 'found-commands', events: 'found-events' })
    await server.create('participants', { ...value, metadata: { name: 'found' } })
    const selector = encodeURIComponent('spec.inbox=found-commands')
    const { body } = await server.request('GET', `${pathOf('participants')}?fieldSelector=${selector}`)
    t.deepEqual(
      (body['items'] as { metadata: Map }[]).map(({ metadata }) => metadata['name']),
      ['found']
    )
  })

  test("'kubectl explain' has a word on every field", async (t) => {
    const schemas = await server.explained()
    const silent = ['Saga', 'Participant'].flatMap((kind) =>
      silentFields(schemas[`io.parcomolo.v1alpha1.${kind}`]!, kind)
    )
    t.deepEqual(silent, [])
  })
}

/** The paths of all fields without a description. */
const silentFields = (schema: Map, path: string): string[] => {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Map>)
  const items = schema['items'] as Map | undefined
  return [
    ...properties.flatMap(([name, field]) => [
      ...(typeof field['description'] === 'string' ? [] : [`${path}.${name}`]),
      ...silentFields(field, `${path}.${name}`)
    ]),
    ...(items === undefined ? [] : silentFields(items, `${path}[]`))
  ]
}

function testStatus(): void {
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Published',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z'
  }
  const patch = (body: Map): Promise<{ status: number; body: Map }> =>
    server.request('PATCH', `${pathOf('sagas')}/told/status`, {
      body: { status: body },
      contentType: 'application/merge-patch+json'
    })

  test('a status is written by itself, and its bounds are kept', async (t) => {
    const told = saga({ steps: [step] }, 'told')
    const { body } = await server.create('sagas', { ...told, status: { stepCount: 5 } })
    t.is(body['status'], undefined)
    const { body: written } = await patch({ conditions: [condition], running: [], stepCount: 1 })
    t.like(written, { metadata: { generation: 1 }, status: { stepCount: 1 } })
    const refusals: [Map, string][] = [
      [{ conditions: [condition, condition] }, 'status.conditions[1]: Duplicate value: {"type":"Ready"}'],
      [{ conditions: [{ ...condition, status: 'Maybe' }] }, 'Unsupported value: "Maybe"'],
      [{ conditions: [{ type: 'Ready' }] }, 'status.conditions[0].reason: Required value'],
      [{ conditions: [{ ...condition, reason: 'two words' }] }, 'conditions[0].reason in body should match'],
      [{ stepCount: -1 }, 'stepCount in body should be greater than or equal to 0'],
      [
        { running: Array.from({ length: 101 }, (_, i) => ({ revision: `${i}`, count: 1, current: false })) },
        'Too many: 101'
      ]
    ]
    for (const [status, message] of refusals) {
      const answer = await patch(status)
      t.is(answer.status, 422)
      t.true(String(answer.body['message']).includes(message), String(answer.body['message']))
    }
  })
}
