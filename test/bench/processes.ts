import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type Program = {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** SIGKILL where nothing is kept that it would have to bring into order. */
  readonly endsBy: 'SIGTERM' | 'SIGKILL'
  /** What it says to whoever stops it by hand, which is no complaint. */
  readonly farewell?: string
  /** Who hears its complaints. */
  readonly onComplaint?: (line: string) => void
}

/**
 * Starts a program that ends with `resources` at the latest. It is handed over in the same moment as it begins, so that
 * an interrupt leaves none behind. Its complaints go where ours go, unless somebody hears them.
 */
export const start = (resources: AsyncDisposableStack, program: Program): ChildProcess => {
  assertGoesOn(resources)
  const { command, args, env, endsBy, farewell, onComplaint = console.error } = program
  // In a group of its own, for a Ctrl-C would end all at once, and whoever ends later complains of the others.
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line !== farewell) onComplaint(line)
  })
  resources.defer(() => end(child, endsBy))
  return child
}

/** A new folder, which is removed with `resources`; synchronous for the same reason. */
export const temporaryFolder = (resources: AsyncDisposableStack, prefix: string): string => {
  assertGoesOn(resources)
  const folder = mkdtempSync(join(tmpdir(), prefix))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** After an interrupt whatever is being started finds out here. */
const assertGoesOn = (resources: AsyncDisposableStack): void => {
  if (resources.disposed) throw new Error('the run is over')
}

/** The first line that `found` finds something in; the lines after it are read and dropped, so no pipe fills up. */
export const waitForLine = async <T>(child: ChildProcess, found: (line: string) => T | undefined): Promise<T> => {
  const lines = createInterface({ input: child.stdout! })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    lines.once('close', () => reject(new Error(`'${child.spawnfile}' ended before it was ready`)))
    lines.on('line', (line) => {
      const value = found(line)
      if (value !== undefined) resolve(value)
    })
  })
}

const end = async (child: ChildProcess, signal: Program['endsBy']): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const killer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await ended
  clearTimeout(killer)
}

const patienceMs = 10_000

/** CPU time and memory of processes, from Linux. */
export const usageOfProcesses = async (
  pids: readonly number[]
): Promise<{ cpuSeconds: number; residentBytes: number }> => {
  const usages = await Promise.all(pids.map(usage))
  return {
    cpuSeconds: usages.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    residentBytes: usages.reduce((total, { residentBytes }) => total + residentBytes, 0)
  }
}

const usage = async (pid: number): Promise<{ cpuSeconds: number; residentBytes: number }> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may hold anything; what follows it are numbers, from field 3 on.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [userTicks, systemTicks, residentPages] = [fields[11]!, fields[12]!, fields[21]!]
  return { cpuSeconds: (userTicks + systemTicks) / ticksPerSecond, residentBytes: residentPages * pageBytes }
}

/** Linux shows times to programs in these ticks, whatever it counts in itself. */
const ticksPerSecond = 100
const pageBytes = 4096
