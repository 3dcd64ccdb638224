/**
 * Writes compacted batches on a thread of its own, as a transaction costs some 15 µs a record and a sync.
 * This module is both ends: it starts itself as the worker.
 */
import { Worker, parentPort, workerData } from 'node:worker_threads'
import type { LogRecord, TopicPartition } from '../log.ts'
import { CompactedStore } from './compacted-store.ts'
import { readBatchHead, readRecords, writeBatch } from './frame.ts'
import { WriteBuffer } from './write-buffer.ts'

/** An error of SQLite's, as it was on the other thread. */
export class CompactedError extends Error {
  readonly errcode: number | undefined

  constructor(message: string, errcode: number | undefined) {
    super(message)
    this.errcode = errcode
  }
}

/** One batch at a time. */
export class CompactedWriter {
  readonly #worker: Worker
  #pending: PromiseWithResolvers<void> | undefined

  constructor(dir: string, cacheBytes: number) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { role, dir, cacheBytes } satisfies Role })
    this.#worker.on('message', (failure: Failure | null) =>
      this.#settle(failure === null ? undefined : new CompactedError(failure.message, failure.errcode))
    )
    this.#worker.on('error', (error) => this.#settle(error))
    this.#worker.unref()
  }

  append(place: TopicPartition, base: number, records: readonly LogRecord[], logPosition: number): Promise<void> {
    const out = new WriteBuffer(4096)
    writeBatch(out, place, base, records)
    this.#pending = Promise.withResolvers()
    this.#worker.ref()
    const bytes = new Uint8Array(out.written())
    this.#worker.postMessage({ bytes, logPosition } satisfies Batch, [bytes.buffer])
    return this.#pending.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
    this.#settle(new Error('the writer of the compacted topics was closed'))
  }

  #settle(error?: unknown): void {
    const pending = this.#pending
    this.#pending = undefined
    this.#worker.unref()
    if (error === undefined) pending?.resolve()
    else pending?.reject(error)
  }
}

const role = 'parcomolo-compacted-writer'

type Role = { readonly role: typeof role; readonly dir: string; readonly cacheBytes: number }

type Batch = { readonly bytes: Uint8Array; readonly logPosition: number }

type Failure = { readonly message: string; readonly errcode: number | undefined }

const serve = ({ dir, cacheBytes }: Role): void => {
  const store = new CompactedStore(dir, cacheBytes)
  parentPort!.on('message', ({ bytes, logPosition }: Batch) => {
    parentPort!.postMessage(write(store, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), logPosition))
  })
}

const write = (store: CompactedStore, frame: Buffer, logPosition: number): Failure | null => {
  try {
    const head = readBatchHead(frame, 0)
    store.append(head, head.base, readRecords(frame, head), logPosition)
    return null
  } catch (error) {
    return { message: (error as Error).message, errcode: (error as CompactedError).errcode }
  }
}

const given = workerData as Role | null
if (given?.role === role) serve(given)
