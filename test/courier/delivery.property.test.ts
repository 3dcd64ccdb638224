import test from 'ava'
import { seededRandom } from '../../src/base/index.ts'
import { companionOf, decide, type Delivery, dueAt, evolve, isOpen, touches } from '../../src/courier/delivery.ts'
import type { Came, Circumstances } from '../../src/courier/delivery.ts'
import type { Event } from '../../src/task/index.ts'

const forward = 'trip/flight/ann'
const undo = companionOf(forward)!
const answers: Record<string, string> = { BookFlight: 'FlightBooked', CancelFlight: 'FlightCancelled' }

/** One command and its undo, as anything may happen to them: the events, and who owns them by and by. */
class Life {
  readonly events: Event[] = []
  readonly #states = new Map<string, Delivery>()
  readonly #calls = new Map<string, number>()
  readonly #random: () => number
  #now = 1_000
  #owner = 0

  constructor(seed: number) {
    this.#random = seededRandom(String(seed))
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#now += Math.floor(this.#random() * 2_000)
      this.#one()
    }
  }

  get states(): ReadonlyMap<string, Delivery> {
    return this.#states
  }

  /** What owns it now, and since when there is a call of it under way. */
  get by(): string {
    return `owner ${this.#owner}`
  }

  isCalled(id: string): boolean {
    const state = this.#states.get(id)
    return isOpen(state) && this.#calls.get(id) === state.tries
  }

  #one(): void {
    const choice = this.#random()
    const id = this.#random() < 0.6 ? forward : undo
    if (choice < 0.3) return this.#decide(this.#command(id))
    if (choice < 0.6) return this.#endCall(id)
    if (choice < 0.7) return this.#decide(this.#record(id, `event ${Math.floor(this.#random() * 5)}`))
    if (choice < 0.75) {
      this.#owner++
      this.#calls.clear()
    }
    for (const [key, state] of this.#states)
      if ((dueAt(state, this.by) ?? Infinity) <= this.#now) this.#decide({ kind: 'timer', key })
  }

  #command(id: string): Came {
    const expiresAt = this.#random() < 0.2 ? this.#now + Math.floor(this.#random() * 3_000) : null
    const command = id === undo ? 'CancelFlight' : 'BookFlight'
    const attempt = 1 + Math.floor(this.#random() * 4)
    const sent = { command, key: 'ann', correlationId: 'trip/ann', cause: '', attempt, expiresAt }
    return { kind: 'command', id, ...sent, arguments: new Uint8Array([1]) }
  }

  #endCall(id: string): void {
    const tries = this.#calls.get(id)
    if (tries === undefined) return
    this.#calls.delete(id)
    if (this.#random() < 0.3) return this.#decide(this.#record(id, undefined))
    const failed = { reason: 'status', detail: '', retryAfterMs: 0, jitter: this.#random() }
    this.#decide({ kind: 'outcome', commandId: id, tries, accepted: this.#random() < 0.2, ...failed })
  }

  #record(causationId: string, eventId: string | undefined): Came {
    const type = answers[causationId === undo ? 'CancelFlight' : 'BookFlight']!
    return { kind: 'record', eventId, causationId, key: 'ann', type, fullName: `acme.${type}`, value: {} }
  }

  #decide(came: Came): void {
    const given: Circumstances = {
      ...{ now: this.#now, by: this.by, timeoutMs: 1_000 },
      isAnswer: (command, type) => answers[command] === type
    }
    const decided = decide((key) => this.#states.get(key), came, given).map((event) => ({ ...event, at: this.#now }))
    for (const event of decided) {
      this.events.push(event)
      for (const key of touches(event)) {
        const after = evolve(this.#states.get(key), event, key)
        if (after !== undefined) this.#states.set(key, after)
      }
    }
    for (const { type, value } of decided) {
      const id = String(value['commandId'])
      const state = this.#states.get(id)
      const isCall = type === 'CallBegun' || (type === 'DeliveryBegun' && value['heldUntil'] === null)
      if (isCall && isOpen(state)) this.#calls.set(id, state.tries)
    }
  }
}

const seeds = Array.from({ length: 1_000 }, (_, seed) => seed)

test('a delivery that is open is called now, or has a time at which something is done about it', (t) => {
  for (const seed of seeds) {
    const life = new Life(seed)
    life.run(60)
    for (const [id, state] of life.states)
      if (isOpen(state)) t.true(life.isCalled(id) || dueAt(state, life.by) !== undefined, `seed ${seed}: ${id}`)
  }
})

test('a command is answered once for each time that it is delivered', (t) => {
  for (const seed of seeds) {
    const life = new Life(seed)
    life.run(60)
    for (const id of [forward, undo]) {
      const of = life.events.filter(({ type, value }) => value['commandId'] === id && /Begun$|Answered$/.test(type))
      const deliveries = of.filter(({ type }) => type !== 'CallBegun').map(({ type }) => type)
      const twice = deliveries.findIndex((type, at) => type === 'DeliveryAnswered' && deliveries[at - 1] === type)
      t.is(twice, -1, `seed ${seed}: ${id}`)
    }
  }
})

test('no call of a command begins after its undo has come', (t) => {
  for (const seed of seeds) {
    const life = new Life(seed)
    life.run(60)
    const from = life.events.findIndex(({ type, value }) => type === 'DeliveryBegun' && value['commandId'] === undo)
    if (from < 0) continue
    const calls = life.events
      .slice(from)
      .filter(({ type, value }) => value['commandId'] === forward && /^(CallBegun|DeliveryBegun)$/.test(type))
    t.deepEqual(calls, [], `seed ${seed}`)
  }
})

test('who sends a command again begins no call beside the one that there is', (t) => {
  for (const seed of seeds) {
    const life = new Life(seed)
    life.run(60)
    const calling = new Set<string>()
    for (const { type, value } of life.events) {
      const id = String(value['commandId'])
      if (type === 'DeliveryBegun') {
        t.false(calling.has(id), `seed ${seed}: ${id}`)
        calling.add(id)
      }
      if (/^(CallAccepted|DeliveryAnswered|DeliveryStopped)$/.test(type)) calling.delete(id)
    }
  }
})
