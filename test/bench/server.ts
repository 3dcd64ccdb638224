import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type Server = {
  readonly url: string
  readonly readyMs: number
  counters(): Promise<Counters>
  stop(): Promise<void>
}

/** Totals since the process began. */
export type Counters = {
  readonly cpuSeconds: number
  readonly fsyncs: number
  readonly logBytes: number
  readonly residentBytes: number
}

/** Starts the product as a person would, in a process and a data folder of its own. */
export const startServer = async (flow: string): Promise<Server> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-bench-'))
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--max-semi-space-size=32', 'src/cli/parcomolo.ts', 'start'], {
    env: { ...process.env, PORT: '0', PARCOMOLO_DATA: dir, FLOW: flow, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const url = await readyUrl(child)
  return {
    url,
    readyMs: performance.now() - startedAt,
    counters: () => readCounters(url),
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      await rm(dir, { recursive: true, force: true })
    }
  }
}

const readyUrl = async (child: ChildProcess): Promise<string> => {
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /^Parcomolo is ready at (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the server ended before it was ready')
}

const readCounters = async (url: string): Promise<Counters> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    cpuSeconds: value('process_cpu_seconds_total'),
    fsyncs: value('parcomolo_log_fsyncs_total'),
    logBytes: value('parcomolo_log_bytes_total'),
    residentBytes: value('process_resident_memory_bytes')
  }
}
