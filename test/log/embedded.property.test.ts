/**
 * Any sequence of appends, claims, reads, restarts and crashes against a model that is one list: everything that was
 * appended, in order. Segments and tail memory are tiny, so that every way of reading is met.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { isParcomoloError } from '../../src/base/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import type { JournalWriter, Reader } from '../../src/log/index.ts'
import { record } from './records.ts'

const topics = [
  { topic: 'journal', partitions: 3, cleanup: 'delete' },
  { topic: 'table', partitions: 1, cleanup: 'compact' }
] as const
const table = { topic: 'table', partition: 0 }
const journal = (partition: number) => ({ topic: 'journal', partition })

/**
 * Every record ever appended has its place in the order as its key; table records have one of few keys, and that
 * place as value.
 */
type Appended = { readonly topic: string; readonly partition: number; readonly offset: number }

type Model = {
  readonly history: Appended[]
  readonly ends: number[]
  /** What has been waited for: this many of the history are durable. */
  durable: number
  readonly tableHistory: { readonly key: string; readonly place: number }[]
}

type Following = { readonly reader: Reader; readonly isolation: 'visible' | 'durable'; readonly next: number[] }

type Real = {
  readonly dir: string
  log: Log
  writers: JournalWriter[]
  tableWriter: JournalWriter
  stale: JournalWriter[]
  readers: Following[]
}

const options = { segmentBytes: 400, tailBytesMax: 2000 }

const open = async (dir: string): Promise<Log> => {
  const log = await openEmbeddedLog({ dir, ...options })
  await log.ensureTopics(topics)
  return log
}

const claimAll = async (log: Log) => ({
  writers: await Promise.all([0, 1, 2].map((partition) => log.claim(journal(partition)))),
  tableWriter: await log.claim(table)
})

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what)
}

const numbered = (model: Model, partition: number, count: number) => {
  const batch = []
  for (let i = 0; i < count; i++) {
    batch.push(record(String(model.history.length)))
    model.history.push({ ...journal(partition), offset: model.ends[partition]! })
    model.ends[partition]!++
  }
  return batch
}

/** What the partition must hold at this offset. */
const keyAt = (model: Model, partition: number, offset: number): string =>
  String(model.history.findIndex((at) => at.topic === 'journal' && at.partition === partition && at.offset === offset))

type Step = { readonly name: string; run(model: Model, real: Real): Promise<void> }

const append = (partition: number, count: number): Step => ({
  name: `append(${partition}, ${count})`,
  run: async (model, real) => {
    const base = model.ends[partition]!
    check((await real.writers[partition]!.append(numbered(model, partition, count))) === base, `base is not ${base}`)
  }
})

const sendToAll = (count: number): Step => ({
  name: `sendToAll(${count})`,
  run: async (model, real) => {
    const batches = [0, 1, 2].flatMap((partition) =>
      numbered(model, partition, count).map((item) => ({ ...item, ...journal(partition) }))
    )
    await real.log.send(batches)
  }
})

const appendTable = (keys: readonly number[]): Step => ({
  name: `appendTable(${keys.join()})`,
  run: async (model, real) => {
    const base = model.tableHistory.length
    for (const key of keys) model.tableHistory.push({ key: String(key), place: model.history.length })
    const batch = keys.map((key) => record(String(key), String(model.history.length)))
    check((await real.tableWriter.append(batch)) === base, `base is not ${base}`)
    model.durable = model.history.length
  }
})

const claim = (partition: number): Step => ({
  name: `claim(${partition})`,
  run: async (_model, real) => {
    real.stale.push(real.writers[partition]!)
    real.writers[partition] = await real.log.claim(journal(partition))
    for (const writer of real.stale) {
      const error: unknown = await writer.append([record('zombie')]).catch((thrown: unknown) => thrown)
      check(isParcomoloError(error, 'PARCOMOLO_LOG_FENCED'), 'a stale writer was not fenced')
    }
  }
})

const waitDurable = (partition: number): Step => ({
  name: `durable(${partition})`,
  run: async (model, real) => {
    await real.log.durable(journal(partition), model.ends[partition]!)
    const last = model.history.findLastIndex((at) => at.partition === partition)
    model.durable = Math.max(model.durable, last + 1)
  }
})

const follow = (isolation: 'visible' | 'durable', part: number): Step => ({
  name: `follow(${isolation}, ${part})`,
  run: async (model, real) => {
    const next = model.ends.map((end) => Math.floor(end * part))
    const starts = next.map((offset, partition) => ({ ...journal(partition), offset }))
    real.readers.push({ reader: real.log.reader(starts, isolation), isolation, next })
  }
})

const take = (index: number, recordsMax: number): Step => ({
  name: `take(${index}, ${recordsMax})`,
  run: async (model, real) => {
    const following = real.readers[index % Math.max(1, real.readers.length)]
    if (following === undefined) return
    const { reader, isolation, next } = following
    const left = next.reduce((sum, offset, partition) => sum + model.ends[partition]! - offset, 0)
    if (left > 0) await reader.ready()
    const chunks = reader.take(recordsMax)
    let count = 0
    for (const { partition, records } of chunks) {
      for (const { key, offset } of records) {
        check(offset === next[partition]!++, `offset ${offset} of ${partition} is out of order`)
        check(key === keyAt(model, partition, offset), `'${key}' at ${partition}/${offset}`)
        count++
      }
    }
    check(count <= recordsMax && count > 0 === left > 0, `${count} of ${left} taken, ${isolation}`)
  }
})

const readRange = (partition: number, a: number, b: number): Step => ({
  name: `read(${partition}, ${a}, ${b})`,
  run: async (model, real) => {
    const [from, to] = [a, b].map((part) => Math.floor(part * model.ends[partition]!)).sort((x, y) => x - y)
    let next = from!
    for await (const chunk of real.log.read(journal(partition), from!, to!)) {
      for (const { key, offset } of chunk) {
        check(offset === next++ && key === keyAt(model, partition, offset), `'${key}' at ${partition}/${offset}`)
      }
    }
    check(next === to, `read ended at ${next}, not ${to}`)
  }
})

const reopen: Step = {
  name: 'reopen',
  run: async (model, real) => {
    await real.log.close()
    real.log = await open(real.dir)
    Object.assign(real, await claimAll(real.log), { stale: [], readers: [] })
    model.durable = model.history.length
    for (const partition of [0, 1, 2]) {
      check((await real.log.end(journal(partition))) === model.ends[partition], `end of ${partition} has changed`)
    }
    await checkTable(real.log, model)
  }
}

/** Looks at the folder as a process that starts after a crash in this moment would. */
const crashImage: Step = {
  name: 'crash',
  run: async (model, real) => {
    const copy = mkdtempSync(join(tmpdir(), 'parcomolo-crash-'))
    cpSync(real.dir, copy, { recursive: true, filter: (path) => !path.endsWith('lock') })
    const log = await open(copy)
    try {
      let found = 0
      for (const partition of [0, 1, 2]) found += await log.end(journal(partition))
      check(found >= model.durable && found <= model.history.length, `${found} found, ${model.durable} durable`)
      for (const { partition, offset } of model.history.slice(0, found)) {
        check(offset < (await log.end(journal(partition))), `what was found is no prefix: ${partition}/${offset}`)
      }
      await checkTable(log, model)
    } finally {
      await log.close()
      rmSync(copy, { recursive: true })
    }
  }
}

const checkTable = async (log: Log, model: Model): Promise<void> => {
  check((await log.end(table)) === model.tableHistory.length, 'the end of the table has changed')
  const newest = new Map(model.tableHistory.map(({ key, place }, offset) => [key, { place, offset }]))
  const found = await log.lookup(table, [...newest.keys()])
  for (const [key, { place, offset }] of newest) {
    const stored = found.get(key)
    check(stored?.offset === offset, `'${key}' is of ${stored?.offset}, not ${offset}`)
    check(Buffer.from(stored!.value!).toString() === String(place), `'${key}' has another value`)
  }
}

const partition = fc.nat(2)
const part = fc.constantFrom(0, 0.3, 0.7, 1)
const count = fc.integer({ min: 1, max: 6 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(partition, count).map(([p, n]) => append(p, n)) },
  { weight: 2, arbitrary: count.map(sendToAll) },
  { weight: 1, arbitrary: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }).map(appendTable) },
  { weight: 1, arbitrary: partition.map(claim) },
  { weight: 2, arbitrary: partition.map(waitDurable) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('visible', 'durable'), part).map(([i, p]) => follow(i, p)) },
  { weight: 8, arbitrary: fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 12 })).map(([i, n]) => take(i, n)) },
  { weight: 3, arbitrary: fc.tuple(partition, part, part).map(([p, a, b]) => readRange(p, a, b)) },
  { weight: 1, arbitrary: fc.constant(reopen) },
  { weight: 1, arbitrary: fc.constant(crashImage) }
)

const commandOf = (one: Step): fc.AsyncCommand<Model, Real> => ({
  check: () => true,
  run: (model, real) => one.run(model as Model, real),
  toString: () => one.name
})

test('the log is the list of what was appended, whatever happens to it', async (t) => {
  const commands = fc.commands([step.map(commandOf)], { maxCommands: 60, size: 'max' })
  const property = fc.asyncProperty(commands, async (given) => {
    const dir = mkdtempSync(join(tmpdir(), 'parcomolo-model-'))
    const log = await open(dir)
    const real: Real = { dir, log, ...(await claimAll(log)), stale: [], readers: [] }
    const model: Model = { history: [], ends: [0, 0, 0], durable: 0, tableHistory: [] }
    try {
      await fc.asyncModelRun(() => ({ model, real }), given)
    } finally {
      await real.log.close()
      rmSync(dir, { recursive: true })
    }
  })
  await fc.assert(property, { numRuns: 25, interruptAfterTimeLimit: 8000 })
  t.pass()
})
