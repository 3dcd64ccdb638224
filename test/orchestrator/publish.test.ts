import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ParcomoloError, systemClock } from '../../src/base/index.ts'
import { type Codec, contractSet, registerContracts } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { JournalWriter, Log } from '../../src/log/index.ts'
import { definitionProtocol, definitionsTopic, openPublisher } from '../../src/orchestrator/index.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { newFolder } from '../log/folder.ts'
import { keysOf, readAll } from '../log/records.ts'

const place = { topic: definitionsTopic, partition: 0 }

const stage = async (t: ExecutionContext): Promise<{ log: Log; codec: Codec }> => {
  const folder = newFolder(t)
  const log = await openEmbeddedLog({ dir: join(folder, 'log') })
  const registry = await openEmbeddedRegistry(join(folder, 'registry'))
  t.teardown(async () => {
    await log.close()
    await registry.close()
  })
  await log.ensureTopics([{ topic: definitionsTopic, partitions: 1, cleanup: 'compact' }])
  const own = { topic: definitionsTopic, records: [...definitionProtocol.records.values()] }
  return { log, codec: await registerContracts(registry, contractSet([]).all, [own]) }
}

const definition = (revision: string) => ({ saga: 'order', revision, source: 'order.yaml', yaml: '', retired: false })

test('two publishers on one log both get through, and the last one is right', async (t) => {
  const { log, codec } = await stage(t)
  const first = await openPublisher(log, codec, systemClock)
  await first.publish(definition('a'))
  const second = await openPublisher(log, codec, systemClock)
  await second.publish(definition('b'))
  await first.publish(definition('c'))
  await second.publish(definition('d'))
  await first.publish(definition('e'))
  const revisions = ['a', 'b', 'c', 'd', 'e'].map((revision) => `order@${revision}`)
  t.deepEqual(keysOf(await readAll(log, place)), revisions)
})

test('two that publish at the same time both get through', async (t) => {
  const { log, codec } = await stage(t)
  const publishers = [await openPublisher(log, codec, systemClock), await openPublisher(log, codec, systemClock)]
  const revisions = Array.from({ length: 20 }, (_, i) => `r${i}`)
  await Promise.all(revisions.map((revision, i) => publishers[i % 2]!.publish(definition(revision))))
  const published = keysOf(await readAll(log, place)).map((key) => key.slice('order@'.length))
  t.deepEqual(published.toSorted(), revisions.toSorted())
  for (const own of [0, 1])
    t.deepEqual(
      published.filter((revision) => Number(revision.slice(1)) % 2 === own),
      revisions.filter((_, i) => i % 2 === own),
      'each in the order in which it has published'
    )
})

/** A log on which every append goes wrong in this way, until it is mended. */
const broken = (log: Log, code: 'PARCOMOLO_LOG_FENCED' | 'PARCOMOLO_LOG_FULL') => {
  const state = { isBroken: true, claims: 0 }
  const claim: Log['claim'] = async (where): Promise<JournalWriter> => {
    state.claims++
    const writer = await log.claim(where)
    const append: JournalWriter['append'] = async (records) => {
      if (state.isBroken) throw new ParcomoloError(code, 'on purpose')
      return writer.append(records)
    }
    return { ...where, append }
  }
  return { state, log: { ...log, claim } as Log }
}

test('who is fenced all the time gives up', async (t) => {
  const { log, codec } = await stage(t)
  const { state, log: contested } = broken(log, 'PARCOMOLO_LOG_FENCED')
  const publisher = await openPublisher(contested, codec, systemClock)
  await t.throwsAsync(publisher.publish(definition('a')), { code: 'PARCOMOLO_LOG_FENCED' })
  t.is(state.claims, 10)
})

test('a definition that cannot be stored fails by itself, and the next one is published', async (t) => {
  const { log, codec } = await stage(t)
  const { state, log: full } = broken(log, 'PARCOMOLO_LOG_FULL')
  const publisher = await openPublisher(full, codec, systemClock)
  await t.throwsAsync(publisher.publish(definition('a')), { code: 'PARCOMOLO_LOG_FULL' })
  t.is(state.claims, 1, 'a full disk is no reason to take the topic back')
  state.isBroken = false
  await publisher.publish(definition('b'))
  t.deepEqual(keysOf(await readAll(log, place)), ['order@b'])
})
