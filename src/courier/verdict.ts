import { decodeUtf8 } from '../base/index.ts'
import { type Contract, type Operation, readJson } from '../contract/index.ts'
import type { Answer } from './client.ts'

/** What an HTTP answer says of its command. */
export type Verdict =
  | {
      readonly kind: 'record'
      readonly type: string
      readonly fullName: string
      readonly value: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly detail: string
      readonly retryAfterMs: number
      /** The participant breaks its contract: no repeat alone will cure that. */
      readonly isWrong?: true
    }

export const verdictOf = (contract: Contract, command: string, answer: Answer, now: number): Verdict => {
  if ('failure' in answer) return failed(answer.failure, answer.detail)
  const { status, retryAfter } = answer
  const operation = contract.operations.get(command)
  if (operation === undefined) return failed('no-operation', `the contract has no operation '${command}'`)
  if (status === 202) return { kind: 'accepted' }
  if (status === 200) return replyOf(contract, operation, answer)
  if (status === 422) return rejectionOf(contract, operation, answer)
  const detail = status >= 300 && status < 400 ? `status ${status}: no redirect is followed` : `status ${status}`
  return failed('status', detail, retryAfterMs(retryAfter, now))
}

const failed = (reason: string, detail: string, retryAfter = 0): Verdict => ({
  ...{ kind: 'failed', reason, detail },
  retryAfterMs: retryAfter
})

const wrong = (detail: string): Verdict => ({
  ...{ kind: 'failed', reason: 'wrong-answer', detail },
  ...{ retryAfterMs: 0, isWrong: true }
})

type Whole = Extract<Answer, { status: number }>

const replyOf = (contract: Contract, { replies }: Operation, answer: Whole): Verdict => {
  const type = answer.type ?? (replies.length === 1 ? replies[0] : undefined)
  if (type === undefined)
    return wrong(`status 200 without a header 'ce-type'; expected one of ${listed(replies)}, as there are several`)
  return recordOf(contract, replies, type, answer)
}

const rejectionOf = (contract: Contract, { rejections }: Operation, answer: Whole): Verdict => {
  if (answer.type !== undefined) return recordOf(contract, rejections, answer.type, answer)
  const expected = rejections.length === 0 ? 'another status, as the command has no errors' : listed(rejections)
  return wrong(`status 422 without a header 'ce-type'; expected ${expected}`)
}

const recordOf = (contract: Contract, expected: readonly string[], named: string, { status, body }: Whole): Verdict => {
  const record = expected
    .map((name) => contract.records.get(name)!)
    .find(({ name, fullName }) => name === named || fullName === named)
  if (record === undefined)
    return wrong(`status ${status} with 'ce-type: ${shown(named)}'; expected ${listed(expected) || 'no such status'}`)
  const json = jsonOf(body)
  if (json === undefined)
    return wrong(`status ${status} with a body of ${body.length} bytes that is no JSON; expected a ${record.name}`)
  const read = readJson(record, json.value, false)
  if ('value' in read) return { kind: 'record', type: record.name, fullName: record.fullName, value: read.value }
  const misfits = read.misfits.slice(0, 5).map(({ path, message }) => `${path === '' ? 'it' : path} ${message}`)
  return wrong(`status ${status} with a body that is no ${record.name}: ${misfits.join('; ')}`)
}

const jsonOf = (body: Buffer): { readonly value: unknown } | undefined => {
  try {
    const text = decodeUtf8(body)
    return typeof text === 'string' ? { value: JSON.parse(text) as unknown } : undefined
  } catch {
    return undefined
  }
}

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')

/** It stands in logs and journals. */
const shown = (text: string): string => text.slice(0, 80)

/** Seconds, or a date. */
const retryAfterMs = (text: string | undefined, now: number): number => {
  if (text === undefined) return 0
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}
