import type { Condition, ConditionType } from './crd/index.ts'
import { type Reason, reasons } from './reasons.ts'

/** How things stand with a resource, in the operator's eyes. */
export type Standing =
  /** Not looked at yet. */
  | { readonly kind: 'pending' }
  /** The spec is in force. */
  | { readonly kind: 'ready'; readonly reason: Reason; readonly message: string }
  /** Not yet, and the operator goes on trying. */
  | { readonly kind: 'working'; readonly reason: Reason; readonly message: string }
  /** Not before somebody changes something. */
  | { readonly kind: 'stalled'; readonly reason: Reason; readonly message: string }

type Said = Pick<Condition, 'status' | 'reason' | 'message'>

/** Room is left for what the API server counts otherwise than JavaScript. */
const messageCharsMax = 32_000

/**
 * The three conditions, all of them always there, so that kstatus, `kubectl wait` and Helm see at once how things
 * stand. `lastTransitionTime` moves only when a status does.
 */
export const conditionsOf = (
  standing: Standing,
  before: readonly Condition[] | undefined,
  { generation, now }: { readonly generation: number; readonly now: number }
): readonly Condition[] =>
  Object.entries(saidOf(standing)).map(([type, said]) => {
    const known = before?.find((condition) => condition.type === type)
    const isSame = known?.status === said.status
    return {
      type: type as ConditionType,
      ...said,
      message: cut(said.message),
      observedGeneration: generation,
      lastTransitionTime: isSame ? known.lastTransitionTime : timeOf(now)
    }
  })

export const conditionOf = (conditions: readonly Condition[] | undefined, type: ConditionType): Condition | undefined =>
  conditions?.find((condition) => condition.type === type)

const saidOf = (standing: Standing): Record<ConditionType, Said> => {
  const no: Said = { status: 'False', reason: reasons.settled, message: '' }
  if (standing.kind === 'pending') {
    const unknown: Said = {
      status: 'Unknown',
      reason: reasons.pending,
      message: 'the operator has not looked at it yet'
    }
    return { Ready: unknown, Reconciling: { ...unknown, status: 'True' }, Stalled: unknown }
  }
  const { reason, message } = standing
  if (standing.kind === 'ready') return { Ready: { status: 'True', reason, message }, Reconciling: no, Stalled: no }
  const notReady: Said = { status: 'False', reason, message }
  const yes: Said = { ...notReady, status: 'True' }
  return standing.kind === 'working'
    ? { Ready: notReady, Reconciling: yes, Stalled: { ...no, reason: reasons.progressing } }
    : { Ready: notReady, Reconciling: no, Stalled: yes }
}

const cut = (message: string): string =>
  message.length <= messageCharsMax
    ? message
    : `${message.slice(0, messageCharsMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`

/** Whole seconds, as Kubernetes writes times. */
const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
