import { type Clock, insist, isParcomoloError, ParcomoloError, partitionOf } from '../base/index.ts'
import { type Codec, type Contract, toJson } from '../contract/index.ts'
import type { Log, LogRecord } from '../log/index.ts'
import { header, type Runner, runComponent, type TaskDeps } from '../task/index.ts'
import type { CallCounts } from './call-counts.ts'
import { Calls } from './calls.ts'
import type { Client } from './client.ts'
import { type Call, courierComponent } from './component.ts'
import { headerValues, type HeaderSources } from './header-values.ts'
import { courierProtocol, courierSource, postsTopic } from './protocol.ts'
import { type Verdict, verdictOf } from './verdict.ts'

export type CourierDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** Of the participants that it delivers to, as they are now. */
  readonly contracts: () => readonly Contract[]
  readonly client: Client
  readonly headers: HeaderSources
  readonly counts: CallCounts
  /** No two processes that ever were have the same. */
  readonly by: string
  /** From 0 to 1. */
  readonly random: () => number
  /** All that runs here, by name: its own come and go there. */
  readonly runners: Map<string, Runner>
  readonly taskDeps: (participant: string) => TaskDeps
  /** What a participant does wrong, or cannot be reached by: once, until it works again, with undefined. */
  readonly onTrouble: (participant: string, error: ParcomoloError | undefined) => void
  /** The deliveries to a participant have failed by what stands in its topics, and begin again after a while. */
  readonly onStopped: (participant: string, error: unknown) => void
}

/** Somebody else has written to the events topic: a fault of that participant alone. */
const isOfParticipant = (error: unknown): boolean =>
  isParcomoloError(error, 'PARCOMOLO_TASK_DEFECT') || isParcomoloError(error, 'PARCOMOLO_TASK_JOURNAL_UNREADABLE')

const beginAgainMs = 5_000

/** Delivers the commands of all participants that speak HTTP. */
export class Courier {
  readonly #deps: CourierDeps
  readonly #deliveries = new Map<string, Deliveries>()
  readonly #ending = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(deps: CourierDeps) {
    this.#deps = deps
  }

  /** Begins for those that have come, and ends for those that have gone or have other topics. */
  follow(): void {
    const wanted = new Map(this.#deps.contracts().map((it) => [it.participant, it]))
    for (const [name, deliveries] of this.#deliveries)
      if (!sameTopics(wanted.get(name), deliveries.contract)) this.#end(name, deliveries)
    for (const [name, contract] of wanted) if (!this.#deliveries.has(name)) this.#begin(name, contract)
  }

  /** Whoever runs the tasks stops these. */
  async stop(): Promise<void> {
    this.#stop.abort()
    for (const deliveries of this.#deliveries.values()) deliveries.stop()
    this.#deliveries.clear()
    await Promise.all(this.#ending)
  }

  #begin(name: string, contract: Contract): void {
    const { runners, taskDeps } = this.#deps
    const deliveries = new Deliveries(contract, this.#deps, this.#stop.signal)
    this.#deliveries.set(name, deliveries)
    const given = taskDeps(name)
    const onFailure = (error: unknown): void =>
      isOfParticipant(error) ? this.#beginAgain(name, deliveries, error) : given.onFailure(error)
    const runner = runComponent(deliveries.component, { ...given, onFailure })
    runner.ready.catch(() => undefined)
    runners.set(name, runner)
  }

  #beginAgain(name: string, deliveries: Deliveries, error: unknown): void {
    if (this.#deliveries.get(name) !== deliveries) return
    const { clock, onStopped } = this.#deps
    onStopped(name, error)
    this.#end(name, deliveries)
    clock.at(clock.now() + beginAgainMs, () => (this.#stop.signal.aborted ? undefined : this.follow()))
  }

  #end(name: string, deliveries: Deliveries): void {
    deliveries.stop()
    this.#deliveries.delete(name)
    const ending =
      this.#deps.runners
        .get(name)
        ?.stop()
        .catch(() => undefined) ?? Promise.resolve()
    this.#ending.add(ending)
    void ending.then(() => this.#ending.delete(ending))
    this.#deps.runners.delete(name)
  }
}

const sameTopics = (one: Contract | undefined, { inbox, events }: Contract): boolean =>
  one?.inbox === inbox && one.events === events

/** The calls of one participant, and what comes of them. */
class Deliveries {
  readonly contract: Contract
  readonly component: ReturnType<typeof courierComponent>
  readonly #deps: CourierDeps
  readonly #calls: Calls
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #troubles = new Set<string>()

  constructor(contract: Contract, deps: CourierDeps, signal: AbortSignal) {
    this.contract = contract
    this.#deps = deps
    this.#signal = AbortSignal.any([signal, this.#stop.signal])
    this.#calls = new Calls({
      clock: deps.clock,
      limits: () => this.#now().http!,
      make: (call) => this.#make(call)
    })
    this.component = courierComponent(contract, {
      contract: () => this.#now(),
      by: deps.by,
      partitions: deps.log.partitionCount(contract.inbox),
      call: (call) => this.#calls.begin(call),
      encode: (name, value) => deps.codec.encode(name, value)
    })
  }

  stop(): void {
    this.#stop.abort()
    this.#calls.stop()
  }

  /** With the address and the limits of now; of one that is being taken away, the last that were. */
  #now(): Contract {
    return this.#deps.contracts().find(({ participant }) => participant === this.contract.participant) ?? this.contract
  }

  async #make(call: Call): Promise<void> {
    const { verdict, record } = await this.#outcomeOf(call)
    if (this.#signal.aborted) return
    this.#tell(verdict)
    const { log, clock } = this.#deps
    const topic = postsTopic(this.contract.participant)
    const place = { topic, partition: partitionOf(call.key, log.partitionCount(topic)) }
    // Where it cannot be told for good, the log has failed, and with it the task: who comes next calls again.
    await insist(() => log.send([{ ...place, ...record }]), { clock, signal: this.#signal }).catch(() => undefined)
  }

  async #outcomeOf(call: Call): Promise<{ verdict: Verdict; record: LogRecord }> {
    const { client, clock } = this.#deps
    try {
      const contract = this.#now()
      const request = await this.#requestOf(contract, call)
      const verdict = verdictOf(contract, call.command, await client.post(request), clock.now())
      return { verdict, record: this.#recordOf(call, verdict) }
    } catch (error) {
      const [reason, detail] = isParcomoloError(error) ? [error.code, error.message] : ['defect', String(error)]
      const verdict = { kind: 'failed', reason, detail, retryAfterMs: 0 } as const
      return { verdict, record: this.#recordOf(call, verdict) }
    }
  }

  async #requestOf(contract: Contract, call: Call): Promise<Parameters<Client['post']>[0]> {
    const { codec, headers } = this.#deps
    const http = contract.http!
    const { id, command, key, correlationId, attempt, tries, expiresAt } = call
    const record = contract.records.get(command)
    const { value } = codec.decode(call.arguments)
    return {
      url: http.url,
      timeoutMs: http.timeoutMs,
      signal: this.#signal,
      body: JSON.stringify(record === undefined ? value : toJson(record, value)),
      headers: {
        ...(await headerValues(http, headers)),
        'content-type': 'application/json',
        accept: 'application/json',
        'ce-specversion': '1.0',
        'ce-id': escaped(id),
        'ce-type': command,
        'ce-source': courierSource,
        'ce-subject': escaped(key),
        'ce-correlationid': escaped(correlationId),
        'ce-attempt': String(Math.max(attempt, tries)),
        ...(expiresAt === null ? {} : { 'ce-expirytime': new Date(expiresAt).toISOString() })
      }
    }
  }

  #recordOf(call: Call, verdict: Verdict): LogRecord {
    const { codec, clock, random } = this.#deps
    const isAnswer = verdict.kind === 'record'
    const failure = verdict.kind === 'failed' ? verdict : { reason: '', detail: '', retryAfterMs: 0 }
    const outcome = {
      ...{ commandId: call.id, tries: call.tries, accepted: verdict.kind === 'accepted', jitter: random() },
      ...{ reason: failure.reason, detail: failure.detail.slice(0, detailCharsMax) },
      retryAfterMs: failure.retryAfterMs
    }
    const type = isAnswer ? verdict.type : 'CallOutcome'
    return {
      key: call.key,
      value: isAnswer ? codec.encode(verdict.fullName, verdict.value) : codec.encode(outcomeName, outcome),
      timestamp: clock.now(),
      headers: {
        [header.specVersion]: '1.0',
        [header.id]: `${call.id}/${call.tries}`,
        [header.type]: type,
        [header.source]: courierSource,
        ...(isAnswer ? { [header.causationId]: call.id } : {})
      }
    }
  }

  /** Each trouble once, until an answer is right again. */
  #tell(verdict: Verdict): void {
    const { participant, http } = this.#now()
    this.#deps.counts.add(participant, outcomeOf(verdict))
    if (verdict.kind !== 'failed') {
      if (this.#troubles.size > 0) this.#deps.onTrouble(participant, undefined)
      this.#troubles.clear()
      return
    }
    if (this.#troubles.has(verdict.reason)) return
    this.#troubles.add(verdict.reason)
    const { origin } = new URL(http!.url)
    this.#deps.onTrouble(
      participant,
      verdict.isWrong === true ? wrongAnswer(origin, verdict) : failedCall(origin, verdict)
    )
  }
}

const outcomeOf = (verdict: Verdict): string => {
  if (verdict.kind === 'failed') return verdict.reason
  return verdict.kind === 'accepted' ? 'accepted' : 'answered'
}

const outcomeName = courierProtocol.records.get('CallOutcome')!.fullName
/** What is journaled of a failure. */
const detailCharsMax = 500

/** As the CloudEvents binding for HTTP has it: what no header may hold is percent-encoded. */
const escaped = (text: string): string => text.replaceAll(/[^!#$&-~]|%/gu, (sign) => encodeURIComponent(sign))

const wrongAnswer = (origin: string, { detail }: { readonly detail: string }): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_COURIER_ANSWER_WRONG',
    `the answer of ${origin} is none: ${detail}; expected what the contract says, and the command is sent again`
  )

const failedCall = (
  origin: string,
  { reason, detail }: { readonly reason: string; readonly detail: string }
): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_COURIER_CALL_FAILED',
    `a call of ${origin} has failed (${reason}): ${detail}; the command is sent again until its time is over`
  )
