import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Log } from '../../src/log/index.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import type { Storage } from '../../src/main/stage.ts'

export type Json = Record<string, unknown>

export const newFolder = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-start-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export const configOf = (dataFolder: string, changes: Partial<Config> = {}): Config => ({
  ...readConfig({}),
  ...{ port: 0, dataFolder, logLevel: 'error' },
  ...changes
})

/** The embedded log, shared by what would be several processes on Kafka; each only has what it has opened. */
export const sharedStorage = async (t: ExecutionContext, config: Config): Promise<Storage & { openCount: number }> => {
  const [log, registry] = [await openLog(config), await openRegistry(config)]
  t.teardown(async () => {
    await log.close()
    await registry.close()
  })
  const storage = {
    openCount: 0,
    openLog: async (): Promise<Log> => {
      storage.openCount++
      const close = async (): Promise<void> => void storage.openCount--
      return new Proxy(log, {
        get: (target, name) => {
          const member: unknown = name === 'close' ? close : Reflect.get(target, name)
          return typeof member === 'function' ? (member as () => unknown).bind(target) : member
        }
      })
    },
    openRegistry: async () => ({ ...registry, close: async () => undefined })
  }
  return storage
}

export const json = async (url: string): Promise<{ status: number; body: Json }> => {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as Json }
}

/** Asks until the answer is there; ava's own timeout ends it. */
export const until = async <T>(attempt: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const found = await attempt().catch(() => undefined)
    if (found !== undefined) return found
    await new Promise((resolve) => void setImmediate(resolve))
  }
}
