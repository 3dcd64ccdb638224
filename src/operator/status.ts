import { canonicalJson } from '../base/index.ts'
import type { Contract } from '../contract/index.ts'
import { conditionsOf, type Standing } from './conditions.ts'
import {
  type ParticipantResource,
  type ParticipantStatus,
  type RunningRevision,
  type SagaResource,
  type SagaStatus,
  statusLimits
} from './crd/index.ts'
import type { RunningCount } from './ports.ts'

/** What is known of a saga beside its resource. */
export type SagaFacts = {
  readonly standing: Standing
  /** The revision that new instances follow; undefined where there is none. */
  readonly revision: string | undefined
  /** Of that revision, where it was read just now. */
  readonly stepCount?: number
  /** Undefined where nobody can say: then what was known stays. */
  readonly running: readonly RunningCount[] | undefined
}

/** The status that a saga has to have: all of it, since all of it is the operator's. */
export const sagaStatus = (resource: SagaResource, facts: SagaFacts, now: number): SagaStatus => {
  const { generation } = resource.metadata
  const before = resource.status
  const running = facts.running ?? before?.running ?? []
  return {
    observedGeneration: generation,
    conditions: conditionsOf(facts.standing, before?.conditions, { generation, now }),
    ...revisionOf(facts, before),
    runningCount: running.reduce((sum, { count }) => sum + count, 0),
    running: runningOf(running, facts.revision)
  }
}

const revisionOf = (
  { revision, stepCount }: SagaFacts,
  before: SagaStatus | undefined
): Pick<SagaStatus, 'revision' | 'stepCount'> => {
  if (revision === undefined) return {}
  const known = stepCount ?? (before?.revision === revision ? before.stepCount : undefined)
  return known === undefined ? { revision } : { revision, stepCount: known }
}

/** As many revisions as a status holds: the one in force, then those with the most instances. */
const runningOf = (
  counts: readonly Pick<RunningRevision, 'revision' | 'count'>[],
  current: string | undefined
): readonly RunningRevision[] => {
  const all = new Map(current === undefined ? [] : [[current, 0]])
  for (const { revision, count } of counts) if (count > 0 || revision === current) all.set(revision, count)
  return [...all]
    .map(([revision, count]) => ({ revision, count, current: revision === current }))
    .sort((a, b) => Number(b.current) - Number(a.current) || b.count - a.count || (a.revision < b.revision ? -1 : 1))
    .slice(0, statusLimits.runningRevisions)
}

export const participantStatus = (
  resource: ParticipantResource,
  facts: { readonly standing: Standing; readonly contract: Contract | undefined },
  now: number
): ParticipantStatus => {
  const { generation } = resource.metadata
  return {
    observedGeneration: generation,
    conditions: conditionsOf(facts.standing, resource.status?.conditions, { generation, now }),
    ...(facts.contract === undefined ? {} : countsOf(facts.contract))
  }
}

const countsOf = ({ operations, emits }: Contract): Pick<ParticipantStatus, 'operationCount' | 'eventCount'> => {
  const answers = new Set([...operations.values()].flatMap(({ replies, rejections }) => [...replies, ...rejections]))
  return { operationCount: operations.size, eventCount: [...emits].filter((name) => !answers.has(name)).length }
}

/** Whether there is nothing to write: a write that changes nothing still costs a request, and wakes whoever watches. */
export const isSameStatus = (one: object | undefined, other: object): boolean =>
  one !== undefined && canonicalJson(one) === canonicalJson(other)
