import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import test from 'ava'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { isParcomoloError } from '../../../src/base/index.ts'
import { type Contracts, readContract } from '../../../src/contract/index.ts'
import { metadataFields } from '../../../src/operator/crd/metadata-fields.ts'
import { loadSaga } from '../../../src/saga/index.ts'
import { contracts as fixture } from '../../saga/load/fixture.ts'
import { type Document, type Map, participants, sagas } from './corpus.ts'
import { mutated, mutations, pathsOf } from './mutations.ts'
import { sample } from './sample.ts'
import { serviceNames } from '../../helpers/shop-parts.ts'

const validator = (kind: string): ValidateFunction =>
  new Ajv2020({ strictTypes: false, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(`sagas/schema/${kind}.schema.json`, 'utf8')) as Map
  )

const isSaga = validator('saga')
const isParticipant = validator('participant')

/** The loaders' verdict: what is wrong, or nothing. */
const refusalOf = (load: () => unknown): string | undefined => {
  try {
    load()
    return undefined
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID') || isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) {
      return error.message
    }
    throw error
  }
}

const textOf = (value: Map): string => stringify(value, { aliasDuplicateObjects: false })

const sagaRefusal = (value: Map, contracts: Contracts): string | undefined =>
  refusalOf(() => loadSaga({ path: 's.yaml', text: textOf(value) }, contracts))

const participantRefusal = (value: Map): string | undefined =>
  refusalOf(() => readContract({ path: 'p.yaml', text: textOf(value) }))

for (const { path, value, contracts } of sagas) {
  test(`${path} fits the schema that editors use`, (t) => {
    t.true(isSaga(value), JSON.stringify(isSaga.errors))
    t.is(sagaRefusal(value, contracts), undefined)
  })
}

test('all participants fit the schema that editors use', (t) => {
  t.true(participants.length >= 8)
  for (const each of participants) t.true(isParticipant(each), JSON.stringify(isParticipant.errors))
})

test('the shipped files name the schemas, where they are', (t) => {
  t.regex(readFileSync('sagas/order.yaml', 'utf8'), /^# yaml-language-server: \$schema=schema\/saga\.schema\.json\n/)
  for (const name of serviceNames) {
    const text = readFileSync(`sagas/participants/${name}.yaml`, 'utf8')
    t.true(text.startsWith('# yaml-language-server: $schema=../schema/participant.schema.json\n'), name)
  }
})

/** Some changes to one of some sagas, and what comes of them. */
const changed = (documents: readonly Pick<Document, 'value' | 'contracts'>[], count: number) => {
  const change = fc.record({ at: fc.nat(), mutation: fc.constantFrom(...mutations) })
  const changes = fc.array(change, { minLength: count, maxLength: count })
  return fc.record({ document: fc.constantFrom(...documents), changes }).map((drawn) => ({
    contracts: drawn.document.contracts,
    value: drawn.changes.reduce((value, { at, mutation }) => {
      const paths = pathsOf(value)
      return paths.length === 0 ? value : mutated(value, paths[at % paths.length]!, mutation)
    }, drawn.document.value)
  }))
}

test('the schema refuses no saga that the loader takes', (t) => {
  const full = { value: sample(), contracts: fixture }
  t.true(isSaga(full.value))
  t.is(sagaRefusal(full.value, fixture), undefined)
  const property = (documents: readonly Pick<Document, 'value' | 'contracts'>[], count: number) =>
    fc.property(
      changed(documents, count),
      ({ value, contracts }) => isSaga(value) || sagaRefusal(value, contracts) !== undefined
    )
  t.notThrows(() => fc.assert(property([full], 1), { numRuns: 300 }))
  t.notThrows(() => fc.assert(property(sagas, 2), { numRuns: 150 }))
})

const step = { name: 'a', command: 'Ship', with: { id: 'start.id' }, compensate: 'none' }

/** Faults of form, each in a saga of its own. */
const faults: readonly (readonly [string, Map])[] = [
  ['no steps', { steps: [] }],
  ['an unknown key', { deadine: '1h' }],
  ['a key of a later release', { lock: 'start.id' }],
  ['a deadline without a unit', { deadline: 60 }],
  ['a trigger without a key', { cancel: { on: 'Stopped' } }],
  ['an end without an event', { complete: { with: {} } }],
  ['101 steps', { steps: Array.from({ length: 101 }, (_, i) => ({ ...step, name: `a${i}` })) }],
  ['a step without a name', { steps: [{ command: 'Ship', compensate: 'none' }] }],
  ['a step without a command', { steps: [{ name: 'a' }] }],
  ['a name with a capital', { steps: [{ ...step, name: 'Ship' }] }],
  ['a name that is too long', { steps: [{ ...step, name: 'a'.repeat(64) }] }],
  ['the name of the start', { steps: [{ ...step, name: 'start' }] }],
  ['a duration in weeks', { steps: [{ ...step, timeout: '1w' }] }],
  ['1001 attempts', { steps: [{ ...step, retry: { attempts: 1001 } }] }],
  ['half an attempt', { steps: [{ ...step, retry: { attempts: 0.5 } }] }],
  ['a factor below 1', { steps: [{ ...step, retry: { factor: 0.5 } }] }],
  ['a jitter above 1', { steps: [{ ...step, retry: { jitter: 2 } }] }],
  ['an unknown choice', { steps: [{ ...step, onUnknown: 'forget' }] }],
  ['a text for a flag', { steps: [{ ...step, pivot: 'true' }] }],
  ['a number for a condition', { steps: [{ ...step, when: 1 }] }],
  ['an undo in one word', { steps: [{ ...step, compensate: 'Release' }] }],
  ['an undo without a command', { steps: [{ ...step, compensate: { with: {} } }] }],
  ['an empty expression', { steps: [{ ...step, with: { id: ' ' } }] }],
  ['an expression that is too long', { steps: [{ ...step, with: { id: { deep: ['x'.repeat(2001)] } } }] }],
  ['a pivot with a condition', { steps: [{ name: 'a', command: 'Ship', pivot: true, when: 'true' }] }],
  ['a pivot with an undo', { steps: [{ ...step, pivot: true, compensate: { command: 'Release' } }] }],
  ['a pivot that turns back', { steps: [{ ...step, pivot: true, onUnknown: 'compensate' }] }],
  ['a parallel without branches', { steps: [{ parallel: [] }] }],
  ['a parallel of 21', { steps: [{ parallel: Array.from({ length: 21 }, (_, i) => ({ ...step, name: `a${i}` })) }] }],
  ['a parallel with a name', { steps: [{ parallel: [step], name: 'b' }] }],
  ['steps inside of steps', { steps: [{ steps: [step] }] }],
  ['a branch without steps', { steps: [{ parallel: [{ steps: [] }] }] }],
  ['a pivot in a branch', { steps: [{ parallel: [{ ...step, pivot: true }] }] }]
]

for (const [name, change] of faults) {
  test(`the schema refuses ${name}, as the loader does`, (t) => {
    const whole = sample()
    const value = { ...whole, spec: { ...(whole['spec'] as Map), ...change } }
    t.false(isSaga(value))
    t.not(sagaRefusal(value, fixture), undefined)
  })
}

test("metadata has the keys that the loaders know, which are Kubernetes'", (t) => {
  const keysIn = (message: string | undefined): string[] =>
    [...message!.split('; ')[1]!.matchAll(/'(\w+)'/g)].map(([, key]) => key!).filter((key) => key !== 'metadata')
  const asked = (value: Map): Map => ({ ...value, metadata: { ...(value['metadata'] as Map), qqqqqqqqqqqqqqqqq: 1 } })
  const ofSchema = Object.keys(metadataFields)
  t.deepEqual(keysIn(sagaRefusal(asked(sample()), fixture)).sort(), ['name', ...ofSchema].sort())
  t.deepEqual(keysIn(participantRefusal(asked(participants[0]!))).sort(), ['name', ...ofSchema].sort())
})

test('of every change to a participant, the schema refuses none that the loader takes', (t) => {
  const [sound] = participants
  let refused = 0
  for (const path of pathsOf(sound)) {
    for (const mutation of mutations) {
      const value = mutated(sound!, path, mutation)
      if (isParticipant(value)) continue
      refused++
      t.not(participantRefusal(value), undefined, `${path.join('.')} ${mutation.name}`)
    }
  }
  t.true(refused > 100)
})
