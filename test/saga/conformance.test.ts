import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'
import { parse, stringify } from 'yaml'

import { parseDuration } from '../../src/base/index.ts'
import { contractSet, readContract } from '../../src/contract/index.ts'
import { loadSaga, type SagaEvent } from '../../src/saga/index.ts'
import { payload, Scenario } from './engine/scenario.ts'

/**
 * One test a file in conformance/. A file has a saga, as under `spec` in sagas/, and runs of it. Each move of a run
 * gives the saga one thing and tells what must follow, in this order and nothing else:
 *
 *   start: the start event's value          wait: how long, timers included          cancel: the cancel event
 *   unread: steps whose command lies in the inbox from now on; read: those whose command has just been read
 *   answer: a record, to: the command that it answers, value: its value where that matters
 *   then: [send Command, emit Event, park step, park undo of step, refuse cancel],
 *         or in full { send: Command, with: arguments, attempt: 2 }
 *   status: what an operator then sees, where that matters
 */
type Value = Readonly<Record<string, unknown>>
type Move = {
  readonly start?: Value
  readonly answer?: string
  readonly to?: string
  readonly value?: Value
  readonly cancel?: string
  readonly wait?: string
  readonly unread?: readonly string[]
  readonly read?: readonly string[]
  readonly then: readonly (string | Value)[]
  readonly status?: string
}
type Case = { readonly saga: unknown; readonly runs: Readonly<Record<string, readonly Move[]>> }

const folder = join(import.meta.dirname, 'conformance')

const participants = readdirSync(join(folder, 'participants')).map((name) => join(folder, 'participants', name))
const contracts = contractSet(participants.map((path) => readContract({ path, text: readFileSync(path, 'utf8') })))

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  test(file.slice(0, -'.yaml'.length).replaceAll('-', ' '), (t) => {
    const { saga, runs } = parse(readFileSync(join(folder, file), 'utf8')) as Case
    const head = { apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', metadata: { name: 'trip' } }
    const definition = loadSaga({ path: file, text: stringify({ ...head, spec: saga }) }, contracts)
    for (const [title, moves] of Object.entries(runs)) {
      const scenario = new Scenario(definition)
      for (const [i, move] of moves.entries()) check(t, scenario, move, `${file}: ${title}: move ${i + 1}`)
    }
  })
}

const check = (t: ExecutionContext, scenario: Scenario, move: Move, where: string): void => {
  const before = scenario.journal.length
  play(scenario, move)
  const expected = move.then.map(readOutput)
  const seen = scenario.journal.slice(before).flatMap(({ event }) => outputsOf(event))
  // Arguments are compared where the case names them.
  const compared = seen.map((output, i) =>
    expected[i]?.['with'] === undefined ? { ...output, with: undefined } : output
  )
  t.deepEqual(compared, expected, where)
  if (move.status !== undefined) t.is(scenario.status(), move.status as never, where)
}

const play = (scenario: Scenario, { start, answer, to, value, cancel, wait, unread, read }: Move): void => {
  for (const step of unread ?? []) scenario.attempts.set(step, { kind: 'unread' })
  const { now } = scenario
  for (const step of read ?? [])
    scenario.attempts.set(step, ({ sentAt = 0 }) => (sentAt <= now ? { kind: 'read', at: now } : undefined))
  if (start !== undefined) scenario.start(start)
  else if (wait !== undefined) scenario.wait(parseDuration(wait)!)
  else if (cancel !== undefined) scenario.give({ kind: 'cancel', message: payload(cancel) })
  else if (answer !== undefined)
    scenario.give({ kind: 'answer', commandId: idOf(scenario, to!), message: payload(answer, value) })
}

/** The id under which a command was sent. */
const idOf = ({ journal }: Scenario, command: string): string => {
  for (const { event } of journal) {
    if (event.type === 'CommandIssued' && event.value.command === command) return event.value.commandId
  }
  throw new Error(`'${command}' has not been sent`)
}

type Output = Readonly<Record<string, unknown>>

/** What others can see of an event: nothing of what is the saga's own business. */
const outputsOf = ({ type, value }: SagaEvent): Output[] => {
  if (type === 'CommandIssued') return [{ send: value.command, with: value.arguments, attempt: value.attempt }]
  if (type === 'Emitted') return [{ emit: value.event, with: value.arguments, attempt: 1 }]
  if (type === 'SagaParked')
    return [{ park: value.undo ? `undo of ${value.step}` : value.step, with: undefined, attempt: 1 }]
  if (type === 'CancelRefused') return [{ refuse: 'cancel', with: undefined, attempt: 1 }]
  return []
}

/** `send BookTrain` is short for `{ send: BookTrain }`, and that for its first attempt. */
const readOutput = (output: string | Value): Output => {
  if (typeof output !== 'string') return { with: undefined, attempt: 1, ...output }
  const [verb, ...what] = output.split(' ')
  return { [verb!]: what.join(' '), with: undefined, attempt: 1 }
}
