/** What the log makes of files that a crash, a bad disk or a curious hand has left. */
import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { groupFrameBytes } from '../../src/log/embedded/frame.ts'
import { recover } from '../../src/log/embedded/recovery.ts'
import { appenderTopics, sequenceOf } from './appender-topics.ts'
import { newFolder } from './folder.ts'
import { keysOf, readAll, records, takeUntil } from './records.ts'

const place = { topic: 'journal', partition: 0 }
const specs = [{ topic: 'journal', partitions: 2, cleanup: 'delete' }] as const

const open = async (dir: string, options: { segmentBytes?: number } = {}): Promise<Log> => {
  const log = await openEmbeddedLog({ dir, ...options })
  await log.ensureTopics(specs)
  return log
}

/**
 * A folder whose only segment holds `a0 a1`, `b0`, `c0 c1`: three batches in groups of their own. Gives where the
 * segment was long after each.
 */
const threeGroups = async (t: ExecutionContext): Promise<{ dir: string; segment: string; lengths: number[] }> => {
  const dir = newFolder(t)
  const log = await open(dir)
  const writer = await log.claim(place)
  const segment = join(dir, '0000000000000000.log')
  const lengths: number[] = []
  for (const batch of [records('a', 2), records('b', 1), records('c', 2)]) {
    const base = await writer.append(batch)
    await log.durable(place, base + batch.length)
    lengths.push(readFileSync(segment).length)
  }
  await log.close()
  return { dir, segment, lengths }
}

const indexesIn = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.index'))

/** As a crash of the machine leaves it: the last segment has no index, and the mark has not reached the disk. */
const unsealed = (dir: string): void => {
  for (const name of [...indexesIn(dir), 'mark']) rmSync(join(dir, name), { force: true })
}

test('a tail torn at any byte is cut back to the last whole batch', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  const ends = new Set<number | undefined>()
  for (let length = lengths[1]!; length < whole.length; length++) {
    unsealed(dir)
    writeFileSync(segment, whole.subarray(0, length))
    const { ends: found, segments } = recover(dir)
    ends.add(found.get('journal/0'))
    t.true(segments[0]!.index.bytes >= lengths[1]! && segments[0]!.index.bytes <= length)
    t.is(readFileSync(segment).length, segments[0]!.index.bytes)
  }
  t.deepEqual([...ends], [3])
})

test('a first group torn at any byte leaves an empty log', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  for (let length = 0; length < lengths[0]!; length++) {
    unsealed(dir)
    writeFileSync(segment, whole.subarray(0, length))
    t.deepEqual([...recover(dir).ends], [])
  }
})

test('any wrong byte in the last group is a torn tail too, as the disk may store its pages in any order', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  for (let at = lengths[1]!; at < whole.length; at++) {
    unsealed(dir)
    writeFileSync(segment, flipped(whole, at))
    t.is(recover(dir).ends.get('journal/0'), 3)
  }
})

test('a whole group at the wrong place is no group', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  for (const stale of [whole.subarray(lengths[1]!), whole.subarray(lengths[1]! + 22)]) {
    unsealed(dir)
    writeFileSync(segment, Buffer.concat([whole, stale]))
    t.is(recover(dir).ends.get('journal/0'), 5)
    t.deepEqual(readFileSync(segment), whole)
  }
})

test('the log goes on behind a cut tail', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  unsealed(dir)
  truncateSync(segment, lengths[2]! - 1)
  const log = await open(dir)
  const writer = await log.claim(place)
  t.is(await writer.append(records('d', 1)), 3)
  await log.close()
  const again = await open(dir)
  t.deepEqual(keysOf(await readAll(again, place)), ['a0', 'a1', 'b0', 'd0'])
  await again.close()
})

test('a wrong byte before the last group is corruption at a named place, and nothing is changed', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  for (let at = 16; at < lengths[1]!; at++) {
    unsealed(dir)
    const damaged = flipped(whole, at)
    writeFileSync(segment, damaged)
    const error = t.throws(() => recover(dir))
    if (!isParcomoloError(error, 'PARCOMOLO_LOG_CORRUPT')) return t.fail(`byte ${at}: ${error?.message}`)
    t.is(error.details['file'], segment)
    t.true(error.message.includes(segment) && (error.details['position'] as number) <= at)
    t.deepEqual(readFileSync(segment), damaged)
  }
})

test('a segment that is missing or too short is corruption', async (t) => {
  const dir = newFolder(t)
  const log = await open(dir, { segmentBytes: 1 })
  const writer = await log.claim(place)
  for (const name of ['a', 'b', 'c']) {
    const base = await writer.append(records(name, 1))
    await log.durable(place, base + 1)
  }
  await log.close()
  const segments = readdirSync(dir).filter((name) => name.endsWith('.log'))
  t.is(segments.length, 3)
  for (const damage of [rmSync, (path: string) => truncateSync(path, 40)]) {
    for (const name of segments.slice(0, 2)) {
      const copy = newFolder(t)
      cpSync(dir, copy, { recursive: true })
      damage(join(copy, name))
      t.throws(() => recover(copy), { code: 'PARCOMOLO_LOG_CORRUPT' })
    }
  }
})

test('any wrong byte in a sealed segment is found when what it belongs to is read', async (t) => {
  const { dir, segment, lengths } = await threeGroups(t)
  const whole = readFileSync(segment)
  const log = await open(dir)
  const damaged = { code: 'PARCOMOLO_LOG_CORRUPT' }
  for (let at = lengths[0]! + groupFrameBytes; at < lengths[1]!; at++) {
    writeFileSync(segment, flipped(whole, at))
    await t.throwsAsync(readAll(log, place), damaged, `byte ${at}`)
  }
  const reader = log.reader([{ ...place, offset: 0 }], 'visible')
  await t.throwsAsync(takeUntil(reader, 5), damaged)
  await log.close()
})

test('an index that is missing, broken or of another file is made again from the segment', async (t) => {
  const { dir, segment } = await threeGroups(t)
  const [name] = indexesIn(dir)
  const index = join(dir, name!)
  const text = readFileSync(index, 'utf8')
  const damages = ['', 'garbage', text.slice(0, -20), text.replace('"next":5', '"next":4')]
  for (const damage of [undefined, ...damages]) {
    if (damage === undefined) rmSync(index)
    else writeFileSync(index, damage)
    t.is(recover(dir).ends.get('journal/0'), 5)
    t.is(readFileSync(index, 'utf8'), text)
  }
  t.true(readFileSync(segment).length > 0)
})

test('opening reads indexes, not the segments that they describe', async (t) => {
  const { dir, segment } = await threeGroups(t)
  writeFileSync(segment, Buffer.alloc(readFileSync(segment).length))
  t.is(recover(dir).ends.get('journal/0'), 5)
})

test('a segment of a later format is refused by name', async (t) => {
  const { dir, segment } = await threeGroups(t)
  unsealed(dir)
  const bytes = readFileSync(segment)
  bytes.write('PARCOMOLO LOG 2\n', 'latin1')
  writeFileSync(segment, bytes)
  const error = t.throws(() => recover(dir), { code: 'PARCOMOLO_LOG_FORMAT_UNKNOWN' })
  t.true(error?.message.includes("'PARCOMOLO LOG 2'"))
})

test('a broken list of topics is corruption', async (t) => {
  const { dir } = await threeGroups(t)
  writeFileSync(join(dir, 'topics.json'), '{"format":1,"top')
  await t.throwsAsync(open(dir), { code: 'PARCOMOLO_LOG_CORRUPT' })
})

test('after kill -9 a prefix of what was appended is there, and all that was durable', async (t) => {
  const dir = newFolder(t)
  let next = 0
  for (const acknowledgements of [1, 150]) {
    const { pid, durable } = await killedAppender(dir, acknowledgements)
    t.true(durable > next, `process ${pid} got nothing done`)
    const log = await openEmbeddedLog({ dir })
    await log.ensureTopics(appenderTopics)
    const found: number[] = []
    for (const partition of [0, 1, 2]) {
      for (const stored of await readAll(log, { topic: 'journal', partition })) found.push(sequenceOf(stored))
    }
    found.sort((a, b) => a - b)
    t.deepEqual(
      found,
      Array.from({ length: found.length }, (_, i) => i)
    )
    t.true(found.length >= durable)
    next = found.length
    await log.close()
  }
})

test('while a process has the folder, another is refused and told which process it is', async (t) => {
  const dir = newFolder(t)
  let refused: unknown
  const { pid } = await killedAppender(dir, 1, async () => {
    refused = await openEmbeddedLog({ dir }).catch((error: unknown) => error)
  })
  t.true(isParcomoloError(refused, 'PARCOMOLO_LOG_IN_USE'))
  t.true((refused as Error).message.includes(`process '${pid}'`))
  await (await openEmbeddedLog({ dir })).close()
})

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 0x10
  return copy
}

/** Runs the appender until it has said this often what is durable, kills it, and gives the last that it said. */
const killedAppender = async (
  dir: string,
  acknowledgements: number,
  meanwhile: () => Promise<void> = async () => undefined
): Promise<{ pid: number; durable: number }> => {
  const script = fileURLToPath(new URL('appender.ts', import.meta.url))
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let durable = -1
  let count = 0
  for await (const line of createInterface({ input: child.stdout })) {
    durable = Number(line)
    if (++count === acknowledgements) {
      await meanwhile()
      child.kill('SIGKILL')
    }
  }
  await exited
  return { pid: child.pid!, durable }
}
