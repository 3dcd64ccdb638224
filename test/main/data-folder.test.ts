import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { closeToOthers } from '../../src/main/data-folder.ts'

const newFolder = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'parcomolo-modes-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a folder that an earlier release has left open is closed to other users, and that is said once', async (t) => {
  const folder = newFolder(t)
  await (await openEmbeddedLog({ dir: join(folder, 'log') })).close()
  writeFileSync(join(folder, 'view.sqlite'), '', { mode: 0o644 })
  const files = readdirSync(join(folder, 'log')).map((name) => join(folder, 'log', name))
  for (const path of files) chmodSync(path, 0o644)
  for (const path of [folder, join(folder, 'log')]) chmodSync(path, 0o755)
  const said: string[] = []
  closeToOthers(folder, (_, message) => said.push(message))
  for (const path of [...files, join(folder, 'view.sqlite')]) t.is(modeOf(path), '600', path)
  for (const path of [folder, join(folder, 'log')]) t.is(modeOf(path), '700', path)
  t.regex(said.join('\n'), /^\d+ files and folders in '.*' were open to other users, and are closed to them now$/)
  closeToOthers(folder, (_, message) => said.push(message))
  t.is(said.length, 1)
})

test('what else lies in the folder keeps its mode, and then the folder does, too', (t) => {
  const folder = newFolder(t)
  mkdirSync(join(folder, 'log'), { mode: 0o755 })
  writeFileSync(join(folder, 'letters.txt'), '', { mode: 0o644 })
  chmodSync(folder, 0o755)
  const said: string[] = []
  closeToOthers(folder, (_, message) => said.push(message))
  t.deepEqual([folder, join(folder, 'letters.txt'), join(folder, 'log')].map(modeOf), ['755', '644', '700'])
  t.is(said.length, 1)
})

test('a log makes its folders and files for its user alone', async (t) => {
  const dir = join(newFolder(t), 'data', 'log')
  const log = await openEmbeddedLog({ dir })
  await log.ensureTopics([{ topic: 'a', partitions: 1, cleanup: 'delete' }])
  const writer = await log.claim({ topic: 'a', partition: 0 })
  await writer.append([{ key: 'k', value: null, timestamp: 0, headers: {} }])
  await log.durable(writer, 1)
  await log.close()
  t.is(modeOf(dir), '700')
  for (const name of readdirSync(dir).filter((found) => /\.(log|index|json)$|^mark$/.test(found)))
    t.is(modeOf(join(dir, name)), '600', name)
})
