import { limitText, nameCharsMax, namePatterns, sagaLimits } from '../definition/index.ts'
import {
  type Draft,
  type DraftEmission,
  type DraftNode,
  type DraftTrigger,
  type Item,
  quote,
  type Reading,
  readMap,
  readText,
  report,
  rootItem,
  scalarOf,
  stepsOf
} from '../source/index.ts'
import { readDuration } from './policy.ts'
import { readSteps, readUndo } from './step.ts'
import { readExpression, readFields } from './values.ts'

const apiVersion = 'parcomolo.io/v1alpha1'

/** What the API server adds to a custom resource's metadata; none of it is the saga's. */
const resourceMetadata = [
  'namespace',
  'labels',
  'annotations',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'ownerReferences',
  'finalizers',
  'generateName',
  'selfLink'
]

/** Reads the whole form of a definition; undefined where it is no map with a `spec`. */
export const readDraft = (reading: Reading): Draft | undefined => {
  const shape = { what: 'a saga', required: ['apiVersion', 'kind', 'metadata', 'spec'], optional: ['status'] }
  const root = readMap(reading, rootItem(reading), shape)
  if (root === undefined) return undefined
  readConstant(reading, root.get('apiVersion'), apiVersion)
  readConstant(reading, root.get('kind'), 'Saga')
  const name = readName(reading, root.get('metadata'))
  const spec = root.get('spec')
  return spec === undefined ? undefined : readSpec(reading, { ...spec, path: '' }, name)
}

const readConstant = (reading: Reading, item: Item | undefined, expected: string): void => {
  if (item === undefined || scalarOf(item) === expected) return
  report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `${quote(item)} is not known here; expected '${expected}'`)
}

const readName = (reading: Reading, item: Item | undefined): string => {
  const shape = { what: "'metadata'", required: ['name'], optional: resourceMetadata }
  const name = item && readText(reading, readMap(reading, item, shape)?.get('name'), "the saga's name")
  if (name === undefined) return ''
  if (!namePatterns.saga.test(name.value)) {
    report(
      reading,
      name,
      'PARCOMOLO_SAGA_WRONG_VALUE',
      `'${name.value}' cannot name a saga; a name has up to ${nameCharsMax} of a-z, 0-9 and '-', begins with a letter and does not end with '-'`
    )
  }
  return name.value
}

const specShape = {
  what: "'spec'",
  required: ['start', 'steps'],
  optional: ['cancel', 'deadline', 'complete', 'abort'],
  later: ['lock', 'saga', 'wait', 'forEach']
}

const readSpec = (reading: Reading, item: Item, name: string): Draft | undefined => {
  const spec = readMap(reading, item, specShape)
  if (spec === undefined) return undefined
  const steps = spec.get('steps')
  const body = steps === undefined ? [] : readSteps(reading, steps, 0)
  checkCount(reading, item, body)
  return {
    name,
    start: readStart(reading, spec.get('start'), item),
    cancel: readTrigger(reading, spec.get('cancel'), 'cancel'),
    deadlineMs: readDuration(reading, spec.get('deadline'), sagaLimits.deadlineMs),
    body,
    complete: readEmission(reading, spec.get('complete'), 'complete'),
    abort: readEmission(reading, spec.get('abort'), 'abort')
  }
}

const checkCount = (reading: Reading, item: Item, body: readonly DraftNode[]): void => {
  const { steps } = sagaLimits
  const count = stepsOf(body).length
  if (count > steps.value) report(reading, item, steps.code, `the saga has ${count} steps; ${limitText(steps)}`)
}

const readStart = (reading: Reading, item: Item | undefined, spec: Item): Draft['start'] => {
  const shape = { what: "'start'", required: ['on', 'key'], optional: ['compensate'] }
  const members = item && readMap(reading, item, shape)
  return {
    ...triggerOf(reading, item ?? spec, members),
    compensate: readUndo(reading, members?.get('compensate'))
  }
}

const readTrigger = (reading: Reading, item: Item | undefined, key: string): DraftTrigger | undefined => {
  if (item === undefined) return undefined
  const members = readMap(reading, item, { what: `'${key}'`, required: ['on', 'key'], optional: [] })
  return triggerOf(reading, item, members)
}

const triggerOf = (reading: Reading, item: Item, members: ReadonlyMap<string, Item> | undefined): DraftTrigger => ({
  offset: item.offset,
  path: item.path,
  on: readText(reading, members?.get('on'), 'the name of an event'),
  key: readExpression(reading, members?.get('key'))
})

const readEmission = (reading: Reading, item: Item | undefined, key: string): DraftEmission | undefined => {
  if (item === undefined) return undefined
  const members = readMap(reading, item, { what: `'${key}'`, required: ['emit'], optional: ['with'] })
  if (members === undefined) return undefined
  return {
    offset: item.offset,
    path: item.path,
    emit: readText(reading, members.get('emit'), 'the name of an event'),
    with: readFields(reading, members.get('with'), item)
  }
}
