import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { recordSchema, testRegistry } from './registry-suite.ts'

const root = mkdtempSync(join(tmpdir(), 'parcomolo-registry-'))
test.after.always(() => rmSync(root, { recursive: true, force: true }))

const newFolder = (): string => mkdtempSync(join(root, 'data-'))
const id = { name: 'id', type: 'string' }

testRegistry('embedded', async () => {
  const dir = newFolder()
  const reopen = () => openEmbeddedRegistry(dir)
  return { registry: await reopen(), reopen, name: (subject) => subject }
})

test('the reason names the field, however deep, and what was wrong with it', async (t) => {
  const registry = await openEmbeddedRegistry(newFolder())
  const nested = (...fields: { name: string; type: unknown }[]) =>
    recordSchema('Item', { name: 'in', type: recordSchema('In', ...fields) })
  await registry.register('s', nested(id))
  await t.throwsAsync(registry.register('s', nested(id, { name: 'more', type: 'int' })), {
    message:
      "subject 's' refuses the schema: field 'in.more' was added without a default; expected one that reads what the latest version wrote"
  })
  await t.throwsAsync(registry.register('s', nested({ name: 'id', type: 'int' })), {
    message: /^subject 's' refuses the schema: field 'in\.id' changed: cannot read "string" as "int"; expected/
  })
})

test('a renamed field is told by its new name', async (t) => {
  const registry = await openEmbeddedRegistry(newFolder())
  await registry.register('s', recordSchema('Item', { name: 'old', type: 'string' }))
  const renamed = { name: 'new', type: 'int', aliases: ['old'] }
  await t.throwsAsync(registry.register('s', recordSchema('Item', renamed)), {
    message: /^subject 's' refuses the schema: field 'new' changed: cannot read/
  })
})

test('an order of members makes no new schema', async (t) => {
  const registry = await openEmbeddedRegistry(newFolder())
  const first = await registry.register('s', { type: 'record', name: 'A', fields: [{ name: 'a', type: 'int' }] })
  t.is(await registry.register('s', { fields: [{ type: 'int', name: 'a' }], name: 'A', type: 'record' }), first)
})

test('an id is on the disk when it is handed out, and one file is all there is', async (t) => {
  const dir = join(newFolder(), 'made', 'when', 'needed')
  const registry = await openEmbeddedRegistry(dir)
  const given = await registry.register('s', recordSchema('Item', id))
  const other = await openEmbeddedRegistry(dir)
  t.deepEqual(await other.schema(given), recordSchema('Item', id))
  t.deepEqual(readdirSync(dir), ['schemas.json'])
})

test('what comes while the file is being written is on the disk when its id is handed out', async (t) => {
  const dir = newFolder()
  const registry = await openEmbeddedRegistry(dir)
  const first = registry.register('a', recordSchema('A', id))
  await new Promise(setImmediate)
  const second = registry.register('b', recordSchema('B', id))
  await first
  const given = await registry.register('b', recordSchema('B', id))
  const other = await openEmbeddedRegistry(dir)
  t.deepEqual(await other.schema(given), recordSchema('B', id))
  t.is(await second, given)
})

test('a write that was cut short before it took effect changes nothing', async (t) => {
  const dir = newFolder()
  const registry = await openEmbeddedRegistry(dir)
  const given = await registry.register('s', recordSchema('Item', id))
  await registry.close()
  writeFileSync(join(dir, 'schemas.json.new'), '{"format":1,"sch')
  const again = await openEmbeddedRegistry(dir)
  t.is(await again.register('s', recordSchema('Item', id)), given)
  t.is(typeof (await again.register('t', recordSchema('Other', id))), 'number')
})

test('after a failed write nothing is handed out until the same registration is stored', async (t) => {
  const dir = newFolder()
  const registry = await openEmbeddedRegistry(dir)
  // A folder in the place of the new file: nobody can write there, not even root.
  mkdirSync(join(dir, 'schemas.json.new'))
  const attempt = () => registry.register('s', recordSchema('Item', id))
  const error = await t.throwsAsync(attempt())
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true })
  t.regex(error!.message, /^schema catalogue '.*schemas\.json' cannot be written \(E.*\); expected room and the right/)
  await t.throwsAsync(attempt(), { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' })
  rmSync(join(dir, 'schemas.json.new'), { recursive: true })
  const given = await attempt()
  await registry.close()
  const again = await openEmbeddedRegistry(dir)
  t.deepEqual(await again.schema(given), recordSchema('Item', id))
})

const brokenFile = test.macro({
  exec: async (t, text: string, problem: string) => {
    const dir = newFolder()
    const path = join(dir, 'schemas.json')
    writeFileSync(path, text)
    const error = await t.throwsAsync(openEmbeddedRegistry(dir))
    t.like(error, { code: 'PARCOMOLO_REGISTRY_BROKEN', retryable: false, details: { path } })
    t.true(error!.message.startsWith(`schema catalogue '${path}' is broken: ${problem}; take a backup back with`))
    t.is(readFileSync(path, 'utf8'), text)
  },
  title: (what) => `${what} is refused and left as it is`
})

test('an empty file', brokenFile, '', 'it is no JSON')
test('a file that was cut', brokenFile, '{"format":1,"schemas":[{"ty', 'it is no JSON')
test(
  'a file of a later format',
  brokenFile,
  '{"format":2,"schemas":[],"subjects":{}}',
  'it is no catalogue of format 1'
)
test('a file without schemas', brokenFile, '{"format":1,"subjects":{}}', 'it is no catalogue of format 1')
test(
  'a file with an id that it has no schema for',
  brokenFile,
  '{"format":1,"schemas":[{}],"subjects":{"s":[2]}}',
  'it is no catalogue of format 1'
)

test('a folder that cannot be read is refused', async (t) => {
  const dir = newFolder()
  mkdirSync(join(dir, 'schemas.json'))
  const error = await t.throwsAsync(openEmbeddedRegistry(dir))
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' })
  t.regex(error!.message, /cannot be read \(EISDIR/)
})

test('a wrong bit anywhere is refused, and a file without a hash, as earlier releases wrote it, is read', async (t) => {
  const dir = newFolder()
  const path = join(dir, 'schemas.json')
  const registry = await openEmbeddedRegistry(dir)
  const given = await registry.register('s', recordSchema('Item', id))
  await registry.close()
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('Item', 'Itel'))
  const broken = { code: 'PARCOMOLO_REGISTRY_BROKEN', message: /not as it was written/ }
  await t.throwsAsync(openEmbeddedRegistry(dir), broken)
  writeFileSync(path, text.replace(/"sha256": "\w+",/, ''))
  t.deepEqual(await (await openEmbeddedRegistry(dir)).schema(given), recordSchema('Item', id))
})
