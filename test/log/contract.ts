/** What every adapter of the log has to do, said with nothing but the port. */
import test, { type ExecutionContext } from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { type Log, type LogRecord, recordBytes, type StoredRecord, type TopicPartition } from '../../src/log/index.ts'
import { keysOf, plain, readAll, record, records, takeUntil, timestamp } from './records.ts'

/** A place for logs, of one test. */
export type LogStage = {
  /** Opens the log over what earlier ones have left; the caller closes one before it opens the next. */
  open(): Promise<Log>
  /** Closes what is open and cleans up. */
  end(): Promise<void>
}

export type StageMaker = (t: ExecutionContext) => Promise<LogStage>

export const testLogContract = (adapter: string, makeStage: StageMaker): void => {
  for (const [title, run] of Object.entries(cases)) {
    test(`${adapter}: ${title}`, async (t) => {
      const stage = await makeStage(t)
      const open = async (): Promise<Log> => {
        const log = await stage.open()
        await log.ensureTopics(specs)
        return log
      }
      try {
        await run(t, open)
      } finally {
        await stage.end()
      }
    })
  }
}

const specs = [
  { topic: 'journal', partitions: 2, cleanup: 'delete' },
  { topic: 'inbox', partitions: 2, cleanup: 'delete' },
  { topic: 'table', partitions: 1, cleanup: 'compact' }
] as const

const journal: TopicPartition = { topic: 'journal', partition: 0 }
const sibling: TopicPartition = { topic: 'journal', partition: 1 }
const inbox: TopicPartition = { topic: 'inbox', partition: 0 }
const table: TopicPartition = { topic: 'table', partition: 0 }

type Run = (t: ExecutionContext, open: () => Promise<Log>) => Promise<void>

const isCode = (code: string) => ({ code })

const newest = (list: readonly StoredRecord[]): Record<string, string> => {
  const live = new Map<string, string>()
  for (const { key, value } of list) {
    if (value === null) live.delete(key)
    else live.set(key, Buffer.from(value).toString())
  }
  return Object.fromEntries(live)
}

const journals: Record<string, Run> = {
  'what is appended is read as it was, with offsets from 0': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    const odd = {
      key: 'ключ/🦄',
      value: Buffer.from([0, 255, 10]),
      timestamp: 0,
      headers: { 'ce-ü': 'ä\n', empty: '' }
    }
    t.is(await writer.append([record('a'), { ...record(''), value: null }, odd]), 0)
    t.deepEqual((await readAll(log, journal)).map(plain), [
      { key: 'a', value: 'value of a', timestamp, headers: { ce_type: 'Tested' }, offset: 0 },
      { key: '', value: null, timestamp, headers: { ce_type: 'Tested' }, offset: 1 },
      { ...odd, value: odd.value.toString(), offset: 2 }
    ])
  },

  'each batch gets the offsets that follow on the one before, in its own partition': async (t, open) => {
    const log = await open()
    const [writer, other] = [await log.claim(journal), await log.claim(sibling)]
    t.deepEqual([await writer.append(records('a', 3)), await other.append(records('b', 2))], [0, 0])
    t.deepEqual([await writer.append(records('c', 1)), await other.append(records('d', 1))], [3, 2])
    t.deepEqual([await log.end(journal), await log.end(sibling)], [4, 3])
  },

  'any range is read exactly, also within a batch': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    await writer.append(records('a', 3))
    await writer.append(records('b', 3))
    t.deepEqual(keysOf(await readAll(log, journal, 1, 5)), ['a1', 'a2', 'b0', 'b1'])
    t.deepEqual(keysOf(await readAll(log, journal, 2, 2)), [])
    t.deepEqual(keysOf(await readAll(log, journal, 5, 6)), ['b2'])
  },

  'what is durable is there after opening again, and offsets go on': async (t, open) => {
    const first = await open()
    const writer = await first.claim(journal)
    await writer.append(records('a', 2))
    await first.durable(journal, 2)
    await first.close()
    const log = await open()
    t.is(await log.end(journal), 2)
    t.is(await (await log.claim(journal)).append(records('b', 1)), 2)
    t.deepEqual(keysOf(await readAll(log, journal)), ['a0', 'a1', 'b0'])
  },

  'after a claim and an append, an older writer is fenced and leaves nothing': async (t, open) => {
    const log = await open()
    const older = await log.claim(journal)
    await older.append(records('old', 1))
    const newer = await log.claim(journal)
    t.is(await newer.append([{ ...record(''), value: null }]), 1)
    await t.throwsAsync(older.append(records('zombie', 1)), isCode('PARCOMOLO_LOG_FENCED'))
    await t.throwsAsync(older.append(records('zombie', 1)), isCode('PARCOMOLO_LOG_FENCED'))
    t.is(await newer.append(records('new', 1)), 2)
    t.deepEqual(keysOf(await readAll(log, journal)), ['old0', '', 'new0'])
  },

  'a claim of one partition fences no writer of another': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    await (await log.claim(sibling)).append(records('b', 1))
    t.is(await writer.append(records('a', 1)), 0)
  },

  'what is durable in one partition carries with it what was appended before it elsewhere': async (t, open) => {
    const log = await open()
    const [writer, other] = [await log.claim(journal), await log.claim(sibling)]
    await writer.append(records('cause', 1))
    await other.append(records('effect', 1))
    await log.durable(sibling, 1)
    const reader = log.reader([{ ...journal, offset: 0 }], 'durable')
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['cause0'])
    reader.close()
  }
}

const inboxes: Record<string, Run> = {
  'whoever sends, sends: each partition keeps the order given': async (t, open) => {
    const log = await open()
    const to = (partition: number, key: string) => ({ ...record(key), topic: 'inbox', partition })
    await log.send([to(0, 'a'), to(1, 'b'), to(0, 'c')])
    await log.send([to(1, 'd')])
    t.deepEqual(keysOf(await readAll(log, inbox)), ['a', 'c'])
    t.deepEqual(keysOf(await readAll(log, { topic: 'inbox', partition: 1 })), ['b', 'd'])
  }
}

const readers: Record<string, Run> = {
  'a reader that waits is woken by an append': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    const reader = log.reader([{ ...journal, offset: 0 }], 'visible')
    t.deepEqual(reader.take(10), [])
    const ready = reader.ready()
    await writer.append(records('a', 2))
    await ready
    t.deepEqual(keysOf(await takeUntil(reader, 2)), ['a0', 'a1'])
    t.deepEqual(reader.take(10), [])
    reader.close()
  },

  'a reader of what is durable gets everything in time': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    const reader = log.reader([{ ...journal, offset: 0 }], 'durable')
    await writer.append(records('a', 2))
    t.deepEqual(keysOf(await takeUntil(reader, 2)), ['a0', 'a1'])
    await log.durable(journal, 2)
    reader.close()
  },

  'a reader begins where it is told and hands over each record once, in order, however little it takes': async (
    t,
    open
  ) => {
    const log = await open()
    const writer = await log.claim(journal)
    for (let batch = 0; batch < 10; batch++) await writer.append(records(`${batch}.`, 5))
    const reader = log.reader([{ ...journal, offset: 7 }], 'visible')
    const taken = await takeUntil(reader, 43, 3)
    t.deepEqual(
      taken.map(({ offset }) => offset),
      Array.from({ length: 43 }, (_, i) => i + 7)
    )
    t.is(taken[0]!.key, '1.2')
    reader.close()
  },

  'take keeps to its limit and leaves no partition out': async (t, open) => {
    const log = await open()
    await (await log.claim(journal)).append(records('a', 100))
    await (await log.claim(sibling)).append(records('b', 100))
    const reader = log.reader(
      [
        { ...journal, offset: 0 },
        { ...sibling, offset: 0 }
      ],
      'visible'
    )
    await takeUntil(reader, 20, 10)
    const seen = new Map<number, number>()
    for (let turn = 0; turn < 4; turn++) {
      await reader.ready()
      const chunks = reader.take(10)
      t.true(chunks.reduce((count, chunk) => count + chunk.records.length, 0) <= 10)
      for (const { partition, records: taken } of chunks) seen.set(partition, (seen.get(partition) ?? 0) + taken.length)
    }
    t.true(seen.get(0)! > 0 && seen.get(1)! > 0)
    reader.close()
  },

  'take keeps to its bytes, leaves no partition out, and gives what is larger alone': async (t, open) => {
    const log = await open()
    const sized = (key: string, bytes: number): LogRecord => record(key, '.'.repeat(bytes))
    const small = (name: string): LogRecord[] => Array.from({ length: 20 }, (_, i) => sized(`${name}${i}`, 1_000))
    for (const [place, name] of [[journal, 'a'] as const, [sibling, 'b'] as const]) {
      const writer = await log.claim(place)
      await writer.append(small(`${name}.`))
      await writer.append([sized(`${name}-large`, 50_000), ...small(`${name}+`)])
    }
    const starts = [journal, sibling].map((place) => ({ ...place, offset: 0 }))
    const reader = log.reader(starts, 'visible')
    const seen: StoredRecord[][] = [[], []]
    let shared = 0
    while (seen[0]!.length + seen[1]!.length < 82) {
      await reader.ready()
      const chunks = reader.take(1_000, 5_000)
      const taken = chunks.flatMap(({ records: ofChunk }) => ofChunk)
      const bytes = taken.reduce((sum, each) => sum + recordBytes(each), 0)
      t.true(taken.length === 1 || (taken.length > 1 && bytes <= 5_000), `${taken.length} records, ${bytes} bytes`)
      if (chunks.length === 2) shared++
      for (const { partition, records: ofChunk } of chunks) seen[partition]!.push(...ofChunk)
    }
    t.true(shared > 0)
    for (const [partition, name] of ['a', 'b'].entries()) {
      const expected = [...small(`${name}.`), sized(`${name}-large`, 0), ...small(`${name}+`)].map(({ key }) => key)
      t.deepEqual(keysOf(seen[partition]!), expected)
    }
    reader.close()
  },

  'what has come by several appends is taken at once': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    const [slow, fast] = [0, 0].map((offset) => log.reader([{ ...journal, offset }], 'visible'))
    let most = 0
    // The other one has had all; on a network with delays this one may still lack some, but not each time.
    for (let round = 0; round < 50 && most <= 2; round++) {
      await writer.append(records('a', 2))
      await writer.append(records('b', 2))
      await takeUntil(fast!, 4)
      for (const { records: taken } of slow!.take(10)) most = Math.max(most, taken.length)
    }
    t.true(most > 2, `${most} at most`)
    slow!.close()
    fast!.close()
  },

  'a closed reader is ready, with nothing': async (t, open) => {
    const log = await open()
    const reader = log.reader([{ ...journal, offset: 0 }], 'visible')
    const ready = reader.ready()
    reader.close()
    await ready
    await (await log.claim(journal)).append(records('a', 1))
    await reader.ready()
    t.deepEqual(reader.take(10), [])
  },

  'two readers of one partition get the same, each at its own pace': async (t, open) => {
    const log = await open()
    await (await log.claim(journal)).append(records('a', 4))
    const [slow, fast] = [0, 0].map((offset) => log.reader([{ ...journal, offset }], 'visible'))
    t.deepEqual(keysOf(await takeUntil(fast!, 4)), ['a0', 'a1', 'a2', 'a3'])
    t.deepEqual(keysOf(await takeUntil(slow!, 4, 1)), ['a0', 'a1', 'a2', 'a3'])
    for (const reader of [slow, fast]) reader!.close()
  }
}

const compacted: Record<string, Run> = {
  'a compacted topic keeps the newest record of each key, and a null deletes': async (t, open) => {
    const log = await open()
    const writer = await log.claim(table)
    t.is(await writer.append([record('a', '1'), record('b', '1'), record('a', '2')]), 0)
    t.is(await writer.append([record('b', null), record('c', '1')]), 3)
    t.deepEqual(newest(await readAll(log, table)), { a: '2', c: '1' })
    t.is(await log.end(table), 5)
  },

  'lookup finds the newest values of the keys that are there': async (t, open) => {
    const log = await open()
    const writer = await log.claim(table)
    await writer.append([record('a', '1'), record('b', '1')])
    await writer.append([record('a', '2'), record('b', null)])
    const found = await log.lookup(table, ['a', 'b', 'nowhere'])
    t.deepEqual([...found.values()].map(plain), [
      { key: 'a', value: '2', timestamp, headers: { ce_type: 'Tested' }, offset: 2 }
    ])
  },

  'lookup finds any keys, wherever in their batches they stand, each once however often it is asked for': async (
    t,
    open
  ) => {
    const log = await open()
    const writer = await log.claim(table)
    for (const name of ['a', 'b', 'c', 'd']) await writer.append(records(name, 1000))
    await writer.append([record('b7', 'new'), record('c500', null)])
    for (const keys of [['a0'], ['d999', 'a1', 'b7', 'b6', 'a1'], records('a', 1000).map(({ key }) => key)]) {
      const found = await log.lookup(table, [...keys, 'c500', 'nowhere'])
      const expected = [...new Set(keys)].map((key) => [key, key, key === 'b7' ? 'new' : `value of ${key}`])
      t.deepEqual(
        [...found].map(([asked, { key, value }]) => [asked, key, Buffer.from(value!).toString()]).sort(),
        expected.sort()
      )
    }
  },

  'a compacted topic survives opening again, and uses no offset twice': async (t, open) => {
    const first = await open()
    const writer = await first.claim(table)
    await writer.append([record('a', '1'), record('b', '1')])
    await writer.append([record('b', null)])
    await first.durable(table, 3)
    await first.close()
    const log = await open()
    t.is(await (await log.claim(table)).append([record('c', '1')]), 3)
    t.deepEqual(newest(await readAll(log, table)), { a: '1', c: '1' })
  },

  'a compacted topic is followed as it changes, deletions included': async (t, open) => {
    const log = await open()
    const writer = await log.claim(table)
    await writer.append([record('a', '1')])
    const reader = log.reader([{ ...table, offset: 0 }], 'visible')
    t.deepEqual(newest(await takeUntil(reader, 1)), { a: '1' })
    await writer.append([record('b', '1')])
    t.deepEqual((await takeUntil(reader, 1)).map(plain), [
      { key: 'b', value: '1', timestamp, headers: { ce_type: 'Tested' }, offset: 1 }
    ])
    await writer.append([record('a', null)])
    t.deepEqual(
      (await takeUntil(reader, 1)).map(({ key, value, offset }) => [key, value, offset]),
      [['a', null, 2]]
    )
    reader.close()
  },

  'compacted batches of any length keep their order': async (t, open) => {
    const first = await open()
    const writer = await first.claim(table)
    t.is(await writer.append([record('k0', 'old'), record('gone', 'old')]), 0)
    t.is(await writer.append(records('k', 300)), 2)
    t.is(await writer.append([record('gone', null), record('k1', 'new')]), 302)
    await first.durable(table, 304)
    await first.close()
    const log = await open()
    t.is(await log.end(table), 304)
    const live = newest(await readAll(log, table))
    t.deepEqual(
      [Object.keys(live).length, live['k0'], live['k1'], live['k299']],
      [300, 'value of k0', 'new', 'value of k299']
    )
    t.is(await (await log.claim(table)).append([record('last')]), 304)
  },

  'a compacted partition has one writer too': async (t, open) => {
    const log = await open()
    const older = await log.claim(table)
    await (await log.claim(table)).append([record('a', '1')])
    await t.throwsAsync(older.append([record('a', 'zombie')]), isCode('PARCOMOLO_LOG_FENCED'))
    t.deepEqual(newest(await readAll(log, table)), { a: '1' })
  }
}

const topicsAndGroups: Record<string, Run> = {
  'topics are what they were declared as': async (t, open) => {
    const log = await open()
    t.deepEqual([log.partitionCount('journal'), log.partitionCount('table')], [2, 1])
    t.throws(() => log.partitionCount('jurnal'), isCode('PARCOMOLO_LOG_UNKNOWN_TOPIC'))
    await log.ensureTopics([{ topic: 'journal', partitions: 2, cleanup: 'delete' }])
    await t.throwsAsync(
      log.ensureTopics([
        { topic: 'new', partitions: 1, cleanup: 'delete' },
        { topic: 'journal', partitions: 3, cleanup: 'delete' }
      ]),
      isCode('PARCOMOLO_LOG_TOPIC_MISMATCH')
    )
    t.throws(() => log.partitionCount('new'), isCode('PARCOMOLO_LOG_UNKNOWN_TOPIC'))
    await t.throwsAsync(log.claim({ topic: 'journal', partition: 2 }), isCode('PARCOMOLO_LOG_UNKNOWN_TOPIC'))
  },

  'the only member of a group gets all of its partitions': async (t, open) => {
    const log = await open()
    const mine = await new Promise<readonly TopicPartition[]>((resolve, reject) => {
      log.join('tasks', [journal, sibling], resolve).catch(reject)
    })
    t.deepEqual(mine.map(({ topic, partition }) => `${topic}/${partition}`).sort(), ['journal/0', 'journal/1'])
  },

  'when a member leaves, the rest have all partitions': async (t, open) => {
    const log = await open()
    const all = Promise.withResolvers<void>()
    const first = await log.join('tasks', [journal, sibling], () => undefined)
    await log.join('tasks', [journal, sibling], (mine) => {
      if (mine.length === 2) all.resolve()
    })
    await first.leave()
    await all.promise
    t.pass()
  },

  'a closed log takes nothing and holds nobody up': async (t, open) => {
    const log = await open()
    const writer = await log.claim(journal)
    const reader = log.reader([{ ...journal, offset: 0 }], 'visible')
    const [ready, durable] = [reader.ready(), log.durable(journal, 1)]
    const settled = Promise.allSettled([ready, durable])
    await log.close()
    await log.close()
    const [readySettled, durableSettled] = await settled
    for (const { status, reason } of [readySettled, durableSettled] as PromiseRejectedResult[])
      t.true(status === 'rejected' && isParcomoloError(reason, 'PARCOMOLO_LOG_CLOSED'))
    await t.throwsAsync(reader.ready(), isCode('PARCOMOLO_LOG_CLOSED'))
    await t.throwsAsync(writer.append(records('a', 1)), isCode('PARCOMOLO_LOG_CLOSED'))
    await t.throwsAsync(log.claim(journal), isCode('PARCOMOLO_LOG_CLOSED'))
  }
}

const cases: Record<string, Run> = { ...journals, ...inboxes, ...readers, ...compacted, ...topicsAndGroups }
