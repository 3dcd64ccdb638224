import fc from 'fast-check'

import type { Definition } from '../../../src/saga/index.ts'
import { define, emission, expression, parallel, step } from './build.ts'

/** A random saga, in terms that both the engine and its model can be made from. */
export type PlannedStep = {
  readonly name: string
  readonly pivot: boolean
  readonly undo: 'none' | 'works' | 'fails'
  readonly when: 'absent' | 'true' | 'false' | 'fails'
  readonly argumentsFail: boolean
  readonly until: boolean
  readonly keepsReply: boolean
  readonly onUnknown: 'retry' | 'compensate' | 'park'
  readonly onRejection: 'compensate' | 'park'
  readonly attempts: number
  readonly undoAttempts: number
  readonly timeoutMs: number
  readonly withinMs: number | undefined
}

type PlanNode = { readonly step: PlannedStep } | { readonly parallel: readonly (readonly PlanNode[])[] }

export type Plan = {
  readonly body: readonly PlanNode[]
  readonly deadlineMs: number | undefined
  readonly undoStart: 'none' | 'works' | 'fails'
  readonly complete: 'none' | 'works' | 'fails'
  readonly abort: 'none' | 'works' | 'fails'
}

/** Where a step stands: its place in the sequence, the branch, the place in the branch's sequence, … */
export type Path = readonly number[]

/** All steps in file order. */
export const stepsIn = (nodes: readonly PlanNode[], path: Path = []): { step: PlannedStep; path: Path }[] =>
  nodes.flatMap((node, place) =>
    'step' in node
      ? [{ step: node.step, path: [...path, place] }]
      : node.parallel.flatMap((branch, index) => stepsIn(branch, [...path, place, index]))
  )

/** Whether one step comes before another in some sequence; in different branches neither does. */
export const precedes = (one: Path, other: Path): boolean => {
  const fork = one.findIndex((place, depth) => place !== other[depth])
  return fork >= 0 && fork % 2 === 0 && one[fork]! < other[fork]!
}

export const backoffMs = 100
export const capMs = 300

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 5 * others.length, arbitrary: fc.constant(usual) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) }))
  )

const plannedStep: fc.Arbitrary<PlannedStep> = fc.record({
  name: fc.constant(''),
  pivot: fc.constant(false),
  undo: mostly<PlannedStep['undo']>('works', 'none', 'none', 'fails'),
  when: mostly<PlannedStep['when']>('absent', 'true', 'false', 'false', 'fails'),
  argumentsFail: mostly(false, false, false, true),
  until: mostly(false, true),
  keepsReply: fc.boolean(),
  onUnknown: fc.constantFrom('retry', 'compensate', 'park'),
  onRejection: mostly<PlannedStep['onRejection']>('compensate', 'park'),
  attempts: fc.integer({ min: 1, max: 3 }),
  undoAttempts: fc.integer({ min: 1, max: 3 }),
  timeoutMs: fc.constantFrom(500, 1000, 1500),
  withinMs: mostly<number | undefined>(undefined, 700, 2500)
})

const { sequence } = fc.letrec<{ node: PlanNode; sequence: PlanNode[] }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: plannedStep.map((planned): PlanNode => ({ step: planned })) },
    {
      weight: 1,
      arbitrary: fc
        .array(tie('sequence'), { minLength: 1, maxLength: 3 })
        .map((branches): PlanNode => ({ parallel: branches }))
    }
  ),
  sequence: fc.array(tie('node'), { minLength: 1, maxLength: 4 })
}))

const three = mostly<'none' | 'works' | 'fails'>('works', 'none', 'none', 'fails')

/** Steps get their names in file order; one of them may be the pivot. */
export const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    body: sequence,
    pivotAt: fc.option(fc.nat(11)),
    deadlineMs: fc.option(fc.constantFrom(700, 2000, 5000), { nil: undefined }),
    undoStart: three,
    complete: three,
    abort: three
  })
  .map(({ pivotAt, ...plan }) => {
    let count = 0
    const named = (nodes: readonly PlanNode[]): PlanNode[] =>
      nodes.map((node) => {
        if ('parallel' in node) return { parallel: node.parallel.map(named) }
        const name = `s${count}`
        const isPivot = count++ === pivotAt
        return { step: { ...node.step, name, pivot: isPivot, undo: isPivot ? 'none' : node.step.undo } }
      })
    return { ...plan, body: named(plan.body) }
  })

const fails = (): never => {
  throw new Error('it fails')
}

export const toDefinition = ({ body, deadlineMs, undoStart, complete, abort }: Plan): Definition => {
  const retry = (attempts: number) => ({ attempts, backoffMs, factor: 2, capMs, jitter: 0 })
  const failing = (how: string) => (how === 'fails' ? { arguments: { evaluate: fails } } : {})
  const toStep = ({ undo, when, until, argumentsFail, attempts, undoAttempts, withinMs, ...rest }: PlannedStep) =>
    step(rest.name, {
      ...rest,
      ...(withinMs === undefined ? {} : { withinMs }),
      retry: retry(attempts),
      undo: undo === 'none' ? false : { retry: retry(undoAttempts), ...failing(undo) },
      ...(when === 'absent' ? {} : { when: expression(when === 'fails' ? fails : () => when === 'true') }),
      ...(until ? { until: 'Over' } : {}),
      ...(argumentsFail ? { with: fails } : {})
    })
  const toDrafts = (nodes: readonly PlanNode[]): ReturnType<typeof step>[] =>
    nodes.map((node) => ('step' in node ? toStep(node.step) : parallel(...node.parallel.map(toDrafts))))
  const emit = (how: string, event: string) => emission(event, how === 'fails' ? fails : () => ({}))
  return define(toDrafts(body), {
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(undoStart === 'none' ? {} : { undoStart: { retry: retry(2), ...failing(undoStart) } }),
    ...(complete === 'none' ? {} : { complete: emit(complete, 'Made') }),
    ...(abort === 'none' ? {} : { abort: emit(abort, 'Failed') })
  })
}
