import {
  limitText,
  nameCharsMax,
  namePatterns,
  policyDefaults,
  reservedStepName,
  sagaLimits
} from '../definition/index.ts'
import {
  type DraftNode,
  type DraftParallel,
  type DraftStep,
  type DraftUndo,
  type Item,
  keysOf,
  type Located,
  quote,
  type Reading,
  readList,
  readMap,
  readText,
  report,
  scalarOf
} from '../source/index.ts'
import { readBoolean, readChoice, readDuration, readRetry } from './policy.ts'
import { readExpression, readFields } from './values.ts'

type Members = ReadonlyMap<string, Item>

const laterNodes = ['forEach', 'saga', 'wait', 'lock']

/** By which other languages choose between steps. */
const choices = ['switch', 'choice', 'if', 'case', 'else']

const stepShape = {
  what: 'a step',
  required: ['name', 'command'],
  optional: ['with', 'when', 'timeout', 'within', 'retry', 'onUnknown', 'onRejection', 'compensate', 'pivot', 'until'],
  later: laterNodes,
  instead: Object.fromEntries(choices.map((key) => [key, "give each of the steps a 'when'"]))
}

/** A sequence of steps and `parallel` nodes. */
export const readSteps = (reading: Reading, item: Item, depth: number): readonly DraftNode[] =>
  readList(reading, item, "'steps' lists at least one step").flatMap((each) => readNode(reading, each, depth) ?? [])

const readNode = (reading: Reading, item: Item, depth: number): DraftNode | undefined => {
  const keys = keysOf(item)
  const later = laterNodes.find((key) => keys.includes(key))
  if (keys.includes('parallel')) return readParallel(reading, item, depth)
  if (later !== undefined && !keys.includes('command')) {
    const text = `'${later}' is not supported yet; this release knows steps with a 'command', and 'parallel'`
    return report(reading, item, 'PARCOMOLO_SAGA_NOT_SUPPORTED', text)
  }
  const choice = choices.find((key) => keys.includes(key))
  if (choice !== undefined && !keys.includes('command')) {
    const text = `there is no '${choice}'; ${stepShape.instead[choice]}`
    return report(reading, item, 'PARCOMOLO_SAGA_UNKNOWN_KEY', text)
  }
  if (keys.includes('steps') && !keys.includes('command')) {
    const text = "'steps' inside 'steps' has no meaning; only a branch of 'parallel' may be { steps: [...] }"
    return report(reading, item, 'PARCOMOLO_SAGA_UNKNOWN_KEY', text)
  }
  return readStep(reading, item)
}

const readParallel = (reading: Reading, item: Item, depth: number): DraftParallel | undefined => {
  const { nesting, parallelWidth } = sagaLimits
  const members = readMap(reading, item, { what: 'a parallel node', required: ['parallel'], optional: [] })
  const list = members!.get('parallel')!
  if (depth === nesting.value) {
    return report(reading, list, nesting.code, `'parallel' is nested too deep; ${limitText(nesting)}`)
  }
  const branches = readList(reading, list, "'parallel' lists its branches: steps, or { steps: [...] }")
  if (branches.length > parallelWidth.value) {
    const text = `'parallel' has ${branches.length} branches; ${limitText(parallelWidth)}`
    report(reading, list, parallelWidth.code, text)
  }
  return {
    kind: 'parallel',
    offset: item.offset,
    path: item.path,
    branches: branches.map((branch) => readBranch(reading, branch, depth + 1))
  }
}

const readBranch = (reading: Reading, item: Item, depth: number): readonly DraftNode[] => {
  const keys = keysOf(item)
  if (!keys.includes('steps') || keys.includes('command')) return [readNode(reading, item, depth) ?? []].flat()
  const members = readMap(reading, item, { what: 'a branch', required: ['steps'], optional: [] })
  return readSteps(reading, members!.get('steps')!, depth)
}

const readStep = (reading: Reading, item: Item): DraftStep | undefined => {
  const members = readMap(reading, item, stepShape)
  if (members === undefined) return undefined
  const timeout = members.get('timeout')
  const undo = members.get('compensate')
  return {
    kind: 'step',
    ...callOf(reading, item, members),
    name: readStepName(reading, members.get('name')) ?? { value: '', offset: item.offset, path: item.path },
    when: readExpression(reading, members.get('when')),
    timeoutMs: readDuration(reading, timeout, sagaLimits.pauseMs)?.value ?? policyDefaults.timeoutMs,
    timeoutPlace: timeout ?? item,
    withinMs: readDuration(reading, members.get('within'), sagaLimits.deadlineMs),
    retry: readRetry(reading, members.get('retry'), policyDefaults.retry),
    onUnknown: readChoice(reading, members.get('onUnknown'), ['retry', 'compensate', 'park']),
    onRejection: readChoice(reading, members.get('onRejection'), ['compensate', 'park']),
    compensate: readUndo(reading, undo),
    saysCompensate: undo !== undefined,
    pivot: readBoolean(reading, members.get('pivot')),
    until: readText(reading, members.get('until'), 'the name of an event')
  }
}

const readStepName = (reading: Reading, item: Item | undefined): Located<string> | undefined => {
  const name = readText(reading, item, "the step's name")
  if (name === undefined) return undefined
  if (!namePatterns.step.test(name.value)) {
    report(
      reading,
      name,
      'PARCOMOLO_SAGA_WRONG_VALUE',
      `'${name.value}' cannot name a step; a name has up to ${nameCharsMax} of a-z, A-Z, 0-9 and '-', and begins with a small letter`
    )
  }
  if (name.value === reservedStepName) {
    report(
      reading,
      name,
      'PARCOMOLO_SAGA_WRONG_VALUE',
      `'${reservedStepName}' names the beginning of the saga; choose another name`
    )
  }
  return name
}

const undoShape = {
  what: "'compensate'",
  required: ['command'],
  optional: ['with', 'timeout', 'within', 'retry', 'onRejection']
}

/** `{ command, with, timeout, within, retry, onRejection }`; undefined for `none`. */
export const readUndo = (reading: Reading, item: Item | undefined): DraftUndo | undefined => {
  if (item === undefined || scalarOf(item) === 'none') return undefined
  if (scalarOf(item) !== undefined) {
    const text = `found ${quote(item)}; write { command: …, with: {…} }, or none where there is nothing to undo`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
  }
  const members = readMap(reading, item, undoShape)
  if (members === undefined) return undefined
  return {
    ...callOf(reading, item, members),
    timeoutMs: readDuration(reading, members.get('timeout'), sagaLimits.pauseMs)?.value ?? policyDefaults.undoTimeoutMs,
    withinMs: readDuration(reading, members.get('within'), sagaLimits.deadlineMs),
    retry: readRetry(reading, members.get('retry'), policyDefaults.undoRetry),
    onRejection: readChoice(reading, members.get('onRejection'), ['park'])
  }
}

const callOf = (reading: Reading, item: Item, members: Members) => ({
  offset: item.offset,
  path: item.path,
  command: readText(reading, members.get('command'), 'the name of a command'),
  with: readFields(reading, members.get('with'), item)
})
