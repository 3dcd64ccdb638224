import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExecutionContext } from 'ava'
import { type Codec, makeCodec } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log, StoredRecord } from '../../src/log/index.ts'
import {
  deadLetterTopic,
  markerProtocol,
  Task,
  type TaskDeps,
  type TaskLimits,
  topicsOf
} from '../../src/task/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { type Counter, counterComponent, protocol } from './counter.ts'

/** One that nobody has told of any other schema. */
export const newCodec = (): Codec =>
  makeCodec(
    [...protocol.records.values(), ...markerProtocol.records.values()].map(({ fullName, schema }, i) => ({
      fullName,
      schema,
      id: i + 1
    }))
  )
export const codec: Codec = newCodec()
export const fullNameOf = (type: string): string => `test.counter.${type}`
export const journal = { topic: 'a-events', partition: 0 }
export const inbox = { topic: 'a-commands', partition: 0 }
export const targetInbox = { topic: 'b-commands', partition: 0 }

/** A log in a folder of its own, and tasks of one component on it, one after the other or side by side. */
export class Stage {
  readonly clock = new VirtualClock(1_000_000)
  readonly failures: unknown[] = []
  readonly poison: string[] = []
  log!: Log
  #dir = ''

  static async open(t: ExecutionContext): Promise<Stage> {
    const stage = new Stage()
    stage.#dir = await mkdtemp(join(tmpdir(), 'parcomolo-task-'))
    await stage.openLog()
    t.teardown(async () => {
      await stage.log.close()
      await rm(stage.#dir, { recursive: true, force: true })
    })
    return stage
  }

  async openLog(): Promise<void> {
    this.log = await openEmbeddedLog({ dir: this.#dir })
    await this.log.ensureTopics([
      ...topicsOf({ name: 'a', journal: 'a-events', inbox: 'a-commands' }, 1),
      ...topicsOf({ name: 'b', journal: 'b-events', inbox: 'b-commands' }, 1),
      deadLetterTopic
    ])
  }

  /** A task at work. */
  async task(limits: Partial<TaskLimits> = {}, overrides: Partial<TaskDeps> = {}): Promise<Task<Counter>> {
    const task = this.newTask({ limits, ...overrides })
    await task.start()
    return task
  }

  newTask(overrides: Partial<TaskDeps>): Task<Counter> {
    const encode = (value: object): Uint8Array => codec.encode(fullNameOf('Add'), value)
    return new Task(counterComponent('a', 'b-commands', encode), journal, this.deps(overrides))
  }

  deps(overrides: Partial<TaskDeps>): TaskDeps {
    return {
      log: this.log,
      codec,
      clock: this.clock,
      fullNameOf,
      owner: 'test',
      onFailure: (error) => this.failures.push(error),
      onPoison: (at) => this.poison.push(at),
      ...overrides
    }
  }

  async tell(type: string, value: object, headers: Record<string, string> = {}): Promise<void> {
    const key = String((value as { name: string }).name)
    await this.log.send([{ ...inbox, key, value: codec.encode(fullNameOf(type), value), timestamp: 0, headers }])
  }

  /** Waits until the journal has this many events of a type, and gives all of them. */
  async events(type: string, count: number): Promise<{ value: Record<string, unknown>; record: StoredRecord }[]> {
    const reader = this.log.reader([{ ...journal, offset: 0 }], 'visible')
    const found: { value: Record<string, unknown>; record: StoredRecord }[] = []
    while (found.length < count) {
      await reader.ready()
      for (const record of reader.take(1000).flatMap(({ records }) => records)) {
        const message = record.value === null ? undefined : codec.decode(record.value)
        if (message?.type === type) found.push({ value: { ...message.value }, record })
      }
    }
    reader.close()
    return found
  }

  async all(place: { topic: string; partition: number }): Promise<StoredRecord[]> {
    const found: StoredRecord[] = []
    for await (const records of this.log.read(place, 0, await this.log.end(place))) found.push(...records)
    return found
  }
}

/** Notes of so many characters, each for a counter of its own. */
export const notes = (stage: Stage, count: number, textBytes: number, headers = (_: number) => ({})): Promise<void> =>
  stage.log.send(
    Array.from({ length: count }, (_, i) => {
      const value = codec.encode(fullNameOf('Note'), { name: `n${i}`, text: 'x'.repeat(textBytes) })
      return { ...inbox, key: `n${i}`, value, timestamp: 0, headers: headers(i) }
    })
  )

/** The log with some of its calls replaced. */
export const replaced = (log: Log, calls: Partial<Log>): Log =>
  new Proxy<Log>(log, {
    get: (target, name: keyof Log) => {
      const own: unknown = calls[name] ?? target[name]
      return typeof own === 'function' && !(name in calls) ? own.bind(target) : own
    }
  })

export const waitFor = async (
  stage: Stage,
  place: { topic: string; partition: number },
  count: number
): Promise<StoredRecord[]> => {
  const reader = stage.log.reader([{ ...place, offset: 0 }], 'visible')
  const found: StoredRecord[] = []
  while (found.length < count) {
    await reader.ready()
    for (const { records } of reader.take(1000)) found.push(...records)
  }
  reader.close()
  return found
}

/** Waits by turns of the event loop; ava's own timeout ends it if the condition never holds. */
export const until = async (stage: Stage, holds: () => boolean): Promise<void> => {
  for (;;) {
    if (holds()) return
    stage.clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
