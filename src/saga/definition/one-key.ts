import { type Call, type Definition } from './definition.ts'

/**
 * Whether all that a saga hears and sends stands under the key of its instances, and so in their partition: `isOne`
 * where contract and definition show it. Otherwise `why` names the first thing that does not, and what stands in
 * another partition is handed on.
 */
export type KeysOfSaga = { readonly isOne: true } | { readonly isOne: false; readonly why: string }

export const keysOfSaga = ({ start, cancel, steps }: Definition): KeysOfSaga => {
  const why =
    strangeTrigger('start', start) ??
    (cancel && strangeTrigger('cancel', cancel)) ??
    strangeCall('the start', start.compensate, start.keyField!) ??
    steps.reduce<string | undefined>(
      (found, { name, compensate, ...step }) =>
        found ??
        strangeCall(`step '${name}'`, step, start.keyField!) ??
        strangeCall(`step '${name}'`, compensate, start.keyField!),
      undefined
    )
  return why === undefined ? { isOne: true } : { isOne: false, why }
}

/** Whether an event stands under the key that it gives. */
export const standsUnderKey = (trigger: Trigger): boolean => strangeTrigger('cancel', trigger) === undefined

type Trigger = Pick<Definition['start'], 'event' | 'key' | 'keyField'>

const strangeTrigger = (what: 'start' | 'cancel', { event, key, keyField }: Trigger): string | undefined => {
  if (keyField === undefined) return `the contract does not say what the key of its ${what} event '${event}' is`
  if (key.source.trim() === `event.${keyField}`) return undefined
  return `its ${what} event '${event}' stands under '${keyField}', and its key there is '${key.source.trim()}'`
}

/** A command whose contract names no key goes under that of the instance. */
const strangeCall = (
  whose: string,
  call: Pick<Call, 'command' | 'key'> | undefined,
  startKey: string
): string | undefined => {
  if (call?.key === undefined) return undefined
  const { field, source } = call.key
  if ([`start.${startKey}`, 'saga.key'].includes(source.trim())) return undefined
  const shown = source === '' ? '' : `, which is '${source.trim()}'`
  return `'${call.command}' of ${whose} goes under '${field}'${shown}, and the start event stands under '${startKey}'`
}

/** For a person: `saga 'order' has one key: …`. */
export const keysText = (definition: Definition): string => {
  const keys = keysOfSaga(definition)
  return keys.isOne
    ? 'one key: all that it hears and sends is in the partition of that, and its task reads its own partition only'
    : `several keys: what stands in other partitions is handed over to that of the saga's key, since ${keys.why}`
}

/**
 * The first command that goes under another key by the second definition, which is the same saga by other contracts:
 * sent again, it would come to another task, which has not seen it.
 */
export const keyMoved = (before: Definition, after: Definition): string | undefined => {
  const afterwards = keysOfCalls(after)
  for (const [i, { command, key }] of keysOfCalls(before).entries()) {
    const next = afterwards[i]!.key
    if (next !== key) return `'${command}' would go under '${next}', and under '${key}' it was sent`
  }
  return undefined
}

const keysOfCalls = ({ start, steps }: Definition): { readonly command: string; readonly key: string }[] => {
  const ofStart = /^event\.(\w+)$/.exec(start.key.source.trim())?.[1]
  const calls = [...steps.flatMap((step) => [step, step.compensate ?? []].flat()), start.compensate ?? []].flat()
  return calls.map(({ command, key }) => {
    if (key === undefined || key.source.trim() === `start.${ofStart}`) return { command, key: 'saga.key' }
    return { command, key: key.source === '' ? key.field : key.source.trim() }
  })
}
