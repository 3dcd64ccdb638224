import test from 'ava'
import { type Change } from '../../../src/operator/kube/object-copy.ts'
import { Reflector } from '../../../src/operator/kube/reflector.ts'
import { type KubeObject } from '../../../src/operator/kube/resource.ts'
import { VirtualTime } from '../../helpers/virtual-time.ts'
import { gone, ObjectServer, unavailable } from './object-server.ts'

const setUp = (title: string) => {
  const time = new VirtualTime(title)
  const server = new ObjectServer()
  const changes: string[] = []
  const errors: unknown[] = []
  const reflector = new Reflector<KubeObject>({
    source: server,
    clock: { now: () => time.now(), at: (at, call) => time.after(at - time.now(), call) },
    random: () => 0.5,
    onChange: (change) => void changes.push(shown(change)),
    onError: (error) => void errors.push(error)
  })
  return { time, server, reflector, changes, errors }
}

const shown = ({ name, before, after }: Change<KubeObject>): string =>
  `${name} ${before?.metadata.generation ?? '-'}→${after?.metadata.generation ?? '-'}`

test('all objects are read, page by page, and then each change', async (t) => {
  const { time, server, reflector, changes } = setUp(t.title)
  server.pageSizeMax = 2
  for (const name of ['a', 'b', 'c', 'd', 'e']) server.put(name)
  reflector.start()
  await time.pass(0)
  t.true(reflector.hasSynced)
  t.deepEqual(server.calls, ['list', 'list', 'list', 'watch'])
  server.put('a', { generation: 2 })
  server.put('f')
  server.delete('b')
  await time.pass(0)
  t.deepEqual(changes.slice(5), ['a 1→2', 'f -→1', 'b 1→-'])
  t.deepEqual(
    reflector
      .all()
      .map(({ metadata }) => metadata.name)
      .sort(),
    ['a', 'c', 'd', 'e', 'f']
  )
  await reflector.stop()
  t.is(server.watchCount, 0)
})

test('what a cut watch has missed, the next one brings at once', async (t) => {
  const { time, server, reflector, changes, errors } = setUp(t.title)
  server.put('a')
  reflector.start()
  await time.pass(20_000)
  server.cut()
  server.put('a', { generation: 2 })
  await time.pass(0)
  t.deepEqual(changes, ['a -→1', 'a 1→2'])
  t.deepEqual(server.calls, ['list', 'watch', 'watch'])
  t.is(errors.length, 1)
  await reflector.stop()
})

test('a watch that has ended in peace is followed by the next, and nobody hears of it', async (t) => {
  const { time, server, reflector, errors } = setUp(t.title)
  reflector.start()
  await time.pass(60_000)
  server.cut('end')
  await time.pass(0)
  t.deepEqual(server.calls, ['list', 'watch', 'watch'])
  t.deepEqual(errors, [])
  await reflector.stop()
})

test('a server that has forgotten the version is asked for all objects again', async (t) => {
  const { time, server, reflector, changes } = setUp(t.title)
  for (const name of ['a', 'b']) server.put(name)
  reflector.start()
  await time.pass(20_000)
  server.isSilent = true
  server.delete('a')
  server.put('c')
  server.compact()
  server.isSilent = false
  server.cut()
  await time.pass(1_000)
  t.deepEqual(changes.slice(2), ['a 1→-', 'c -→1'])
  t.deepEqual(server.calls, ['list', 'watch', 'watch', 'list', 'watch'])
  await reflector.stop()
})

test('a server that forgets between two pages is asked from the first page on', async (t) => {
  const { time, server, reflector } = setUp(t.title)
  server.put('a')
  server.faults.push(gone())
  reflector.start()
  await time.pass(1_000)
  t.true(reflector.hasSynced)
  await reflector.stop()
})

test('a server that is away is asked again and again, more and more rarely, and never given up', async (t) => {
  const { time, server, reflector, errors } = setUp(t.title)
  server.put('a')
  server.faults.push(...Array.from({ length: 100 }, unavailable))
  reflector.start()
  await time.pass(60_000)
  t.false(reflector.hasSynced)
  t.true(server.calls.length > 8 && server.calls.length < 15, `${server.calls.length} calls`)
  t.true(await time.run(() => reflector.hasSynced))
  t.is(errors.length, 100)
  await reflector.stop()
})

test('a watch that leads nowhere any more is given up when nothing comes, and nothing is lost', async (t) => {
  const { time, server, reflector, changes } = setUp(t.title)
  reflector.start()
  await time.pass(100_000)
  server.bookmark()
  server.isSilent = true
  server.put('a')
  await time.pass(100_000)
  t.deepEqual(changes, [])
  await time.pass(51_000)
  t.deepEqual(changes, ['a -→1'])
  await reflector.stop()
})

test('all objects are listed again after ten minutes, in case that the watches have missed something', async (t) => {
  const { time, server, reflector, changes } = setUp(t.title)
  server.put('a')
  reflector.start()
  for (let minute = 0; minute < 11; minute++) {
    await time.pass(60_000)
    server.bookmark()
    if (minute % 3 === 0) server.cut('end')
  }
  t.is(server.calls.filter((call) => call === 'list').length, 2)
  t.deepEqual(changes, ['a -→1'])
  await reflector.stop()
})

test('an own write is seen at once, and the watch that brings older states does not undo it', async (t) => {
  const { time, server, reflector, changes } = setUp(t.title)
  server.put('a')
  reflector.start()
  await time.pass(0)
  server.put('a', { generation: 2 })
  const written = server.put('a', { generation: 3 })
  reflector.learn(written)
  await time.pass(0)
  t.deepEqual(changes, ['a -→1', 'a 1→3'])
  server.delete('a')
  await time.pass(0)
  reflector.learn(written)
  t.is(reflector.get('a'), undefined)
  await reflector.stop()
})

test('the copy is kept without the bookkeeping of field managers', async (t) => {
  const { time, server, reflector } = setUp(t.title)
  server.put('a')
  reflector.start()
  await time.pass(0)
  t.false('managedFields' in reflector.get('a')!.metadata)
  await reflector.stop()
})

test('stopped in a pause it opens no watch any more', async (t) => {
  const { time, server, reflector } = setUp(t.title)
  server.faults.push(unavailable(), unavailable(), unavailable())
  reflector.start()
  await time.pass(500)
  const asked = server.calls.length
  await reflector.stop()
  await time.pass(60_000)
  t.is(server.calls.length, asked)
})

test('what the listener throws is reported and stops nothing', async (t) => {
  const time = new VirtualTime(t.title)
  const server = new ObjectServer()
  const errors: unknown[] = []
  const reflector = new Reflector<KubeObject>({
    source: server,
    clock: { now: () => time.now(), at: (at, call) => time.after(at - time.now(), call) },
    random: () => 0.5,
    onChange: ({ name }) => {
      throw new TypeError(name)
    },
    onError: (error) => void errors.push(error)
  })
  server.put('a')
  reflector.start()
  await time.pass(0)
  server.put('b')
  await time.pass(0)
  t.deepEqual(errors.map(String), ['TypeError: a', 'TypeError: b'])
  t.is(reflector.all().length, 2)
  await reflector.stop()
})

test('a server that ends every watch at once is not asked without end', async (t) => {
  const { time, server, reflector } = setUp(t.title)
  const cutSoon = (): void => void time.after(100, () => (server.cut('end'), cutSoon()))
  cutSoon()
  reflector.start()
  await time.pass(60_000)
  t.true(server.calls.length < 20, `${server.calls.length} calls`)
  await reflector.stop()
})
