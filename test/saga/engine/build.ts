import type {
  Compensation,
  Definition,
  Emission,
  Expression,
  Node,
  RetryPolicy,
  Scope,
  Step,
  Template
} from '../../../src/saga/index.ts'

/**
 * Definitions without YAML, contracts or CEL: step `x` sends `DoX`, is answered `XDone` or `XRefused`, and undone by
 * `UndoX`, answered `XUndone` or `XStays`.
 */

type StepOptions = Partial<Omit<Step, 'compensate' | 'arguments'>> & {
  readonly undo?: Partial<Compensation> | false
  readonly with?: (scope: Scope) => Readonly<Record<string, unknown>>
}
type Draft =
  { readonly step: StepOptions & { readonly name: string } } | { readonly parallel: readonly (readonly Draft[])[] }

export const step = (name: string, options: StepOptions = {}): Draft => ({ step: { name, ...options } })

/** No undo, and only forward from here. */
export const pivot = (name: string, options: StepOptions = {}): Draft =>
  step(name, { pivot: true, undo: false, ...options })

export const parallel = (...branches: Draft[][]): Draft => ({ parallel: branches })

export const retry: RetryPolicy = { attempts: 3, backoffMs: 100, factor: 2, capMs: 1000, jitter: 0 }

export const timeoutMs = 1000

const template = (evaluate: Template['evaluate']): Template => ({ evaluate })

export const expression = (evaluate: (scope: Scope) => unknown): Expression => ({ source: String(evaluate), evaluate })

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1)

const call = (command: string, answers: { replies: string[]; rejections: string[] }): Compensation => ({
  command,
  commandFullName: `test.${command}`,
  participant: 'test',
  inbox: 'test-commands',
  arguments: template((scope) => ({ id: scope.saga!.key })),
  timeoutMs,
  retry,
  ...answers
})

export const undoCall = (name: string): Compensation =>
  call(`Undo${capital(name)}`, { replies: [`${capital(name)}Undone`], rejections: [`${capital(name)}Stays`] })

const toStep = (index: number, { name, undo, with: evaluate, ...rest }: StepOptions & { name: string }): Step => ({
  ...call(`Do${capital(name)}`, { replies: [`${capital(name)}Done`], rejections: [`${capital(name)}Refused`] }),
  ...(undo === false ? {} : { compensate: { ...undoCall(name), ...undo } }),
  ...(evaluate === undefined ? {} : { arguments: template(evaluate) }),
  index,
  name,
  onUnknown: 'retry',
  onRejection: 'compensate',
  pivot: false,
  retriable: false,
  keepsReply: false,
  ...rest
})

type SagaOptions = Partial<Pick<Definition, 'deadlineMs' | 'complete' | 'abort' | 'revision'>> & {
  readonly undoStart?: Partial<Compensation>
}

export const emission = (event: string, evaluate: Template['evaluate'] = () => ({})): Emission => ({
  event,
  eventFullName: `test.${event}`,
  arguments: template(evaluate)
})

export const define = (drafts: readonly Draft[], { undoStart, ...options }: SagaOptions = {}): Definition => {
  const steps: Step[] = []
  const toNode = (draft: Draft): Node => {
    if ('parallel' in draft) return { kind: 'parallel', branches: draft.parallel.map((branch) => branch.map(toNode)) }
    const made = toStep(steps.length, draft.step)
    steps.push(made)
    return { kind: 'step', index: made.index }
  }
  const body = drafts.map(toNode)
  return {
    name: 'trip',
    revision: 'r1',
    start: {
      event: 'TripBooked',
      topic: 'trip-events',
      key: expression(({ event }) => event!['id']),
      ...(undoStart === undefined ? {} : { compensate: { ...undoCall('start'), ...undoStart } })
    },
    cancel: { event: 'TripCancelled', topic: 'trip-events', key: expression(({ event }) => event!['id']) },
    body,
    steps,
    ...options
  }
}
