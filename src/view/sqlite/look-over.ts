/**
 * Looks over a file before it is opened: a small one here, a larger one on a thread of its own, since orders are taken
 * meanwhile. This module is both ends: it starts itself as the worker.
 */
import { statSync } from 'node:fs'
import { isMainThread, Worker, parentPort, workerData } from 'node:worker_threads'
import type { LayoutMark } from '../layout.ts'
import { looksSound } from './layout.ts'

/** `bytesHereMax`: what is looked over on this thread; 16 MiB take some 50 ms. */
export const isFileSound = async (
  path: string,
  { version, said }: LayoutMark,
  bytesHereMax = 16 * 1024 * 1024
): Promise<boolean> => {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (bytes <= bytesHereMax) return looksSound(path, { version, said })
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { role, path, layout: { version, said } } satisfies Role
  })
  return new Promise((resolve) => {
    worker.once('message', resolve)
    // What keeps it from being read, its opening says.
    worker.once('error', () => resolve(true))
  })
}

const role = 'parcomolo-view-look-over'

type Role = { readonly role: typeof role; readonly path: string; readonly layout: LayoutMark }

const given = workerData as Role | null
if (!isMainThread && given?.role === role) parentPort!.postMessage(looksSound(given.path, given.layout))
