import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/base/index.ts'
import { type Codec, registerContracts } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { JournalWriter, Log } from '../../src/log/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { ownRecords, theShop, viewTopics } from '../helpers/shop-parts.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'

type Source = keyof typeof viewTopics

/** The journals on the embedded log, written by the test in place of the components. */
export type Journals = {
  readonly log: Log
  readonly codec: Codec
  readonly dir: string
  /** Appends one batch to a journal; resolves with its offset when it is durable. */
  tell(source: Source, ...events: readonly Told[]): Promise<number>
  /** Appends a record that is no event. */
  tellBytes(source: Source, value: Uint8Array | null): Promise<number>
  /** The log is deleted, and another one begins. */
  startAnew(): Promise<void>
  close(): Promise<void>
}

/** `headers`: of the record, beside none. */
export type Told = readonly [type: string, value: object, headers?: Readonly<Record<string, string>>]

const namespaces = {
  order: 'order',
  stock: 'inventory',
  payment: 'payment',
  shipping: 'shipping',
  saga: 'saga',
  calls: 'courier'
}

export const openJournals = async (clock: Clock = systemClock): Promise<Journals> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-view-'))
  const codec = await (sharedCodec ??= makeCodec())
  let opened = await openLog(dir)
  const append = async (source: Source, records: Parameters<JournalWriter['append']>[0]): Promise<number> => {
    const place = { topic: viewTopics[source], partition: 0 }
    const offset = await opened.writers.get(source)!.append(records)
    await opened.log.durable(place, offset + records.length)
    return offset
  }
  return {
    get log() {
      return opened.log
    },
    codec,
    dir,
    tell: (source, ...events) =>
      append(
        source,
        events.map(([type, value, headers = {}]) => ({
          key: 'orderId' in value ? String(value.orderId) : '',
          value: codec.encode(`parcomolo.${namespaces[source]}.${type}`, value),
          timestamp: clock.now(),
          headers
        }))
      ),
    tellBytes: (source, value) => append(source, [{ key: '', value, timestamp: clock.now(), headers: {} }]),
    startAnew: async () => {
      await opened.log.close()
      await rm(join(dir, 'log'), { recursive: true })
      opened = await openLog(dir)
    },
    close: async () => {
      await opened.log.close()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

let sharedCodec: Promise<Codec> | undefined

/** One for all: to register the schemas is a matter of the contract's tests. */
export const makeCodec = async (): Promise<Codec> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-registry-'))
  const registry = await openEmbeddedRegistry(dir)
  const codec = await registerContracts(registry, (await readContractFiles('sagas', theShop)).all, ownRecords)
  await registry.close()
  await rm(dir, { recursive: true })
  return codec
}

const openLog = async (dir: string) => {
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const topics = Object.values(viewTopics)
  await log.ensureTopics(topics.map((topic) => ({ topic, partitions: 1, cleanup: 'delete' })))
  const writers = new Map<Source, JournalWriter>()
  for (const [source, topic] of Object.entries(viewTopics) as [Source, string][])
    writers.set(source, await log.claim({ topic, partition: 0 }))
  return { log, writers }
}
