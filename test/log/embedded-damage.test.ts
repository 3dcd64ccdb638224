/** A data folder that has lost something, or is a copy of several moments: refused or made good, not in silence. */
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import { copyEmbeddedLog, openEmbeddedLog, repairEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { JournalWriter, Log } from '../../src/log/index.ts'
import { newFolder } from './folder.ts'
import { keysOf, readAll, record, records } from './records.ts'

const journal = { topic: 'journal', partition: 0 }
const cache = { topic: 'cache', partition: 0 }
const table = { topic: 'table', partition: 0 }

const specs = [
  { topic: 'journal', partitions: 1, cleanup: 'delete' },
  { topic: 'cache', partitions: 1, cleanup: 'compact', isCache: true },
  { topic: 'table', partitions: 1, cleanup: 'compact' }
] as const

const corrupt = { code: 'PARCOMOLO_LOG_CORRUPT' } as const

const open = async (dir: string, warnings: string[] = []): Promise<Log> => {
  const log = await openEmbeddedLog({ dir, onWarning: (_, message) => warnings.push(message) })
  await log.ensureTopics(specs)
  return log
}

const append = async (log: Log, writer: JournalWriter, name: string, count: number): Promise<void> => {
  const base = await writer.append(records(name, count))
  await log.durable(writer, base + count)
}

/** Ten journal records and five rows in each compacted topic; `isOpen`: copied while a process had it open. */
const folder = async (t: ExecutionContext, { isOpen = false } = {}): Promise<string> => {
  const dir = newFolder(t)
  const log = await open(dir)
  const writer = await log.claim(journal)
  await append(log, writer, 'a', 4)
  for (const place of [cache, table]) await (await log.claim(place)).append(records('row', 5))
  await append(log, writer, 'b', 6)
  if (!isOpen) {
    await log.close()
    return dir
  }
  const killed = newFolder(t)
  cpSync(dir, killed, { recursive: true })
  await log.close()
  return killed
}

/** As a kill leaves it: a copy of an open folder, that says of itself that it is the folder itself. */
const killedFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await folder(t, { isOpen: true })
  rmSync(join(dir, 'mark'))
  const log = await open(dir)
  await log.close()
  for (const name of readdirSync(dir)) if (name.endsWith('.index')) rmSync(join(dir, name))
  return dir
}

const segmentsIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(dir, name))
    .toSorted()

const flip = (path: string, at: number, bit = 0x10): void => {
  const bytes = readFileSync(path)
  bytes[at]! ^= bit
  writeFileSync(path, bytes)
}

test('a log that was cut anywhere below what had been stored is refused, and nothing is changed', async (t) => {
  const dir = await killedFolder(t)
  const segment = segmentsIn(dir)[0]!
  const whole = readFileSync(segment)
  for (let length = whole.length - 1; length >= 0; length -= 7) {
    writeFileSync(segment, whole.subarray(0, length))
    const error = await t.throwsAsync(open(dir), corrupt, `cut to ${length}`)
    t.regex(error!.message, /parcomolo restore.*parcomolo repair/)
    t.is(statSync(segment).size, length)
  }
  writeFileSync(segment, whole)
  const log = await open(dir)
  t.is((await readAll(log, journal)).length, 10)
  await log.close()
})

test('a log whose files are gone is refused', async (t) => {
  const dir = await folder(t)
  for (const path of segmentsIn(dir)) rmSync(path)
  await t.throwsAsync(open(dir), corrupt)
})

test('without its mark, too, a log that ends before what compacted topics were written after is refused', async (t) => {
  const dir = await killedFolder(t)
  rmSync(join(dir, 'mark'))
  truncateSync(segmentsIn(dir)[0]!, 40)
  await t.throwsAsync(open(dir), corrupt)
})

test('a wrong byte in the last group is no torn tail where its sync had ended', async (t) => {
  const dir = await killedFolder(t)
  const segment = segmentsIn(dir)[0]!
  flip(segment, statSync(segment).size - 3)
  const error = await t.throwsAsync(open(dir), corrupt)
  t.regex(error!.message, /damaged at byte \d+/)
})

test('how many bytes of a torn tail were cut is said', async (t) => {
  const dir = await killedFolder(t)
  const segment = segmentsIn(dir)[0]!
  writeFileSync(segment, Buffer.concat([readFileSync(segment), Buffer.from('torn tail')]))
  const warnings: string[] = []
  const log = await open(dir, warnings)
  t.deepEqual(warnings, ['9 bytes at the end of the log were of a write that was cut off, and are removed'])
  t.is((await readAll(log, journal)).length, 10)
  await log.close()
})

test('a mark that is damaged is said and made anew, one that is missing is made', async (t) => {
  const dir = await folder(t)
  flip(join(dir, 'mark'), 30)
  const warnings: string[] = []
  await (await open(dir, warnings)).close()
  t.deepEqual(warnings, ['the mark of how far the log was stored is damaged, and is made anew'])
  rmSync(join(dir, 'mark'))
  await (await open(dir, warnings)).close()
  await (await open(dir, warnings)).close()
  t.is(warnings.length, 1)
})

test('a folder of an earlier release opens, and its rows without checksums are believed', async (t) => {
  const dir = await folder(t)
  rmSync(join(dir, 'mark'))
  const database = new DatabaseSync(join(dir, 'compacted.db'))
  for (const { id } of database.prepare('SELECT id FROM place').all())
    database.exec(`ALTER TABLE record_${id as number} DROP COLUMN crc`)
  database.exec('ALTER TABLE place DROP COLUMN log')
  database.close()
  const warnings: string[] = []
  const log = await open(dir, warnings)
  for (const place of [cache, table]) {
    t.deepEqual(keysOf(await readAll(log, place)), ['row0', 'row1', 'row2', 'row3', 'row4'])
    await (await log.claim(place)).append([record('row2')])
    t.deepEqual(keysOf(await readAll(log, place)), ['row0', 'row1', 'row3', 'row4', 'row2'])
  }
  t.deepEqual(warnings, [])
  await log.close()
})

/** Changes one value of one row behind SQLite's back, so that the page is good and the row is not. */
const spoil = (dir: string, topic: string): void => {
  const database = new DatabaseSync(join(dir, 'compacted.db'))
  const { id } = database.prepare('SELECT id FROM place WHERE topic = ?').get(topic)!
  database.exec(`UPDATE record_${id as number} SET value = CAST('spoilt' AS BLOB) WHERE key = 'row3'`)
  database.close()
}

test('a wrong row of a cache empties the caches, and the rest of the file is kept', async (t) => {
  const dir = await folder(t)
  spoil(dir, 'cache')
  const warnings: string[] = []
  const log = await open(dir, warnings)
  t.regex(warnings.join('\n'), /^compacted.db is made anew, .*cache\/0@3 is not as it was written$/)
  t.is((await readAll(log, cache)).length, 0)
  t.is(await log.end(cache), 5, 'offsets only grow')
  t.is((await readAll(log, table)).length, 5)
  await log.close()
  await (await open(dir, warnings)).close()
  t.is(warnings.length, 1)
})

test('a wrong row of what is no cache is refused, and nothing is changed', async (t) => {
  const dir = await folder(t)
  spoil(dir, 'table')
  const before = readFileSync(join(dir, 'compacted.db'))
  const error = await t.throwsAsync(open(dir), corrupt)
  t.regex(error!.message, /'table\/0' is not there.*parcomolo restore/)
  t.deepEqual(readFileSync(join(dir, 'compacted.db')), before)
})

test('a compacted.db that is garbage, or cut, is refused by its name', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'compacted.db')
  for (const bytes of [Buffer.alloc(8192, 'garbage '), readFileSync(file).subarray(0, 5000)]) {
    writeFileSync(file, bytes)
    const error = await t.throwsAsync(open(dir), corrupt)
    t.regex(error!.message, /compacted\.db' is damaged/)
  }
})

test('any wrong bit of compacted.db leaves what it says right, empties caches, or is refused', async (t) => {
  const dir = await folder(t)
  const whole = readFileSync(join(dir, 'compacted.db'))
  const outcomes = { right: 0, emptied: 0, refused: 0 }
  const good = ['row0', 'row1', 'row2', 'row3', 'row4']
  for (let i = 0; i < 150; i++) {
    const copy = newFolder(t)
    cpSync(dir, copy, { recursive: true })
    const at = (i * 7919) % whole.length
    flip(join(copy, 'compacted.db'), at, 1 << (i % 8))
    const warnings: string[] = []
    let log: Log
    try {
      log = await open(copy, warnings)
    } catch (error) {
      t.like(error, corrupt, `byte ${at}`)
      outcomes.refused++
      continue
    }
    t.deepEqual(keysOf(await readAll(log, table)), good, `byte ${at}`)
    t.deepEqual(keysOf(await readAll(log, cache)), warnings.length > 0 ? [] : good, `byte ${at}`)
    outcomes[warnings.length > 0 ? 'emptied' : 'right']++
    await log.close()
  }
  t.log(outcomes)
})

test('a damage that is met while it runs ends that read, and the next start makes the file anew', async (t) => {
  const dir = await folder(t)
  const log = await open(dir)
  spoil(dir, 'cache')
  const error = await t.throwsAsync(log.lookup(cache, ['row3']), corrupt)
  t.regex(error!.message, /start again/)
  await log.close()
  const warnings: string[] = []
  const again = await open(dir, warnings)
  t.is(warnings.length, 1)
  t.deepEqual(await again.lookup(cache, ['row3']), new Map())
  await again.close()
})

test('a copy of an open folder is not believed about its caches, a copy of a closed one is', async (t) => {
  for (const isOpen of [false, true]) {
    const dir = await folder(t, { isOpen })
    const copy = newFolder(t)
    cpSync(dir, copy, { recursive: true })
    const warnings: string[] = []
    const log = await open(copy, warnings)
    t.is((await readAll(log, journal)).length, 10)
    t.is((await readAll(log, table)).length, 5)
    t.is((await readAll(log, cache)).length, isOpen ? 0 : 5)
    t.is(warnings.length, isOpen ? 1 : 0)
    await log.close()
  }
})

test('a copy of an open folder with an older log than its mark is refused', async (t) => {
  const dir = newFolder(t)
  const log = await open(dir)
  const writer = await log.claim(journal)
  await append(log, writer, 'a', 4)
  const copy = newFolder(t)
  cpSync(segmentsIn(dir)[0]!, segmentsIn(dir)[0]!.replace(dir, copy))
  await append(log, writer, 'b', 1)
  for (const name of ['topics.json', 'mark', 'compacted.db', 'compacted.db-wal'])
    cpSync(join(dir, name), join(copy, name))
  await log.close()
  await t.throwsAsync(open(copy), corrupt)
})

test('a list of topics that is no list is damage, whatever JSON it is', async (t) => {
  const dir = await folder(t)
  for (const text of ['{}', '[]', 'null', '{"topics":[{"topic":"journal"}]}', '{"topics":[null]}']) {
    writeFileSync(join(dir, 'topics.json'), text)
    const error = await t.throwsAsync(open(dir), corrupt, text)
    t.regex(error!.message, /topics\.json' is damaged/)
  }
})

test('repair tells what is lost and changes nothing; told to accept it, it leaves a log that opens', async (t) => {
  const damages: Record<string, (dir: string) => void> = {
    'ends at position \\d+; \\d+ bytes behind it are gone': (dir) => truncateSync(segmentsIn(dir)[0]!, 200),
    'is damaged at byte \\d+; its last \\d+ bytes': (dir) => flip(segmentsIn(dir)[0]!, 100),
    'compacted.db is damaged': (dir) => spoil(dir, 'table'),
    'topics.json is damaged': (dir) => writeFileSync(join(dir, 'topics.json'), '{}')
  }
  for (const [told, damage] of Object.entries(damages)) {
    const dir = await killedFolder(t)
    damage(dir)
    await t.throwsAsync(open(dir), corrupt)
    const before = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
    const faults = repairEmbeddedLog(dir, false)
    t.regex(faults.join('\n'), new RegExp(told))
    const changed = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
    t.deepEqual(changed, before)
    t.deepEqual(repairEmbeddedLog(dir, true), faults)
    t.deepEqual(repairEmbeddedLog(dir, false), [])
    const log = await open(dir)
    const kept = keysOf(await readAll(log, journal))
    t.deepEqual(kept, ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5'].slice(0, kept.length))
    // Without its list of topics nobody can tell which are caches; the log is whole then.
    t.is((await readAll(log, cache)).length, told.startsWith('topics') ? 5 : 0, told)
    t.deepEqual(keysOf(await readAll(log, table)).slice(0, 3), ['row0', 'row1', 'row2'])
    await log.close()
  }
})

test('what repair cuts off is set aside', async (t) => {
  const dir = await killedFolder(t)
  const whole = statSync(segmentsIn(dir)[0]!).size
  flip(segmentsIn(dir)[0]!, 100)
  repairEmbeddedLog(dir, true)
  t.deepEqual(readdirSync(join(dir, 'lost')), ['0000000000000000.log'])
  t.is(statSync(join(dir, 'lost', '0000000000000000.log')).size, whole)
})

test('a copy of a log that is open has all that was durable, and is whole', async (t) => {
  const [dir, to] = [newFolder(t), join(newFolder(t), 'copy')]
  const log = await open(dir)
  const writer = await log.claim(journal)
  await append(log, writer, 'a', 4)
  for (const place of [cache, table]) await (await log.claim(place)).append(records('row', 5))
  copyEmbeddedLog(dir, to)
  await append(log, writer, 'b', 2)
  await log.close()
  const warnings: string[] = []
  const copy = await open(to, warnings)
  t.deepEqual(keysOf(await readAll(copy, journal)), ['a0', 'a1', 'a2', 'a3'])
  for (const place of [cache, table]) t.is((await readAll(copy, place)).length, 5)
  t.deepEqual(warnings, [])
  await copy.close()
})

test('a damage anywhere in what is copied refuses the copy', async (t) => {
  const dir = await folder(t)
  flip(segmentsIn(dir)[0]!, 100)
  t.throws(() => copyEmbeddedLog(dir, join(newFolder(t), 'copy')), corrupt)
})

/** Root may read everything. */
const unlessRoot = process.getuid?.() === 0 ? test.skip : test

unlessRoot('a file that this user may not read is told as that, and not as damage', async (t) => {
  const dir = await folder(t)
  for (const path of [segmentsIn(dir)[0]!, join(dir, 'topics.json'), join(dir, 'compacted.db')]) {
    chmodSync(path, 0)
    await t.throwsAsync(open(dir), { code: 'PARCOMOLO_LOG_DATA_UNUSABLE' }, path)
    chmodSync(path, 0o600)
  }
})
