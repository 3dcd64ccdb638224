import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { start, waitForLine } from '../bench/processes.ts'
import { freePort } from '../helpers/free-port.ts'
import { settings } from '../../src/config/settings.ts'
import { limitMemory } from './memory-limit.ts'

export type RoleSetup = {
  readonly name: string
  readonly variables: NodeJS.ProcessEnv
  /** Undefined: as much as there is. */
  readonly memoryBytes: number | undefined
  /** Of Node, before the program. */
  readonly args?: readonly string[]
  /** Between a death and the next life. */
  readonly restartMs?: number
}

/** What a role's processes have needed, in all their lives. */
export type Lives = {
  readonly name: string
  readonly memoryBytes: number | undefined
  /** The most that was resident at any time and is its own: what a limit is about. */
  readonly peakBytes: number
  /** The same with the pages of files, such as Node's program, which the kernel takes back when it needs them. */
  readonly peakWithFilesBytes: number
  /** How those ended that nobody had told to. */
  readonly deaths: readonly string[]
}

/**
 * A role in a process of its own, held to its memory, and begun again when it dies, as Kubernetes does.
 *
 * R1. It is in its control group before Node begins, so that no byte escapes the limit.
 * R2. Where no group can be made, it is told its limit, and killed as soon as more than that is resident.
 * R3. Who has died too often stays away, so that a run comes to its end.
 */
export class RoleProcess {
  readonly url: string
  readonly #setup: RoleSetup
  readonly #resources: AsyncDisposableStack
  readonly #group: string | undefined
  readonly #deaths: string[] = []
  #peak: Resident = { ownBytes: 0, allBytesMax: 0 }
  #lastWords: string[] = []
  #isWanted = false
  #child: ChildProcess | undefined
  #supervised: Promise<void> = Promise.resolve()

  static async of(resources: AsyncDisposableStack, setup: RoleSetup): Promise<RoleProcess> {
    return new RoleProcess(resources, setup, await freePort())
  }

  private constructor(resources: AsyncDisposableStack, setup: RoleSetup, port: number) {
    const { name, memoryBytes } = setup
    this.url = `http://127.0.0.1:${port}`
    this.#resources = resources
    this.#group =
      memoryBytes === undefined
        ? undefined
        : limitMemory(resources, `parcomolo-${process.pid}-${groups++}-${name}`, memoryBytes)
    const told = this.#group === undefined && knowsMemory ? { PARCOMOLO_MEMORY: String(memoryBytes ?? '') } : {}
    // Whoever measures the coverage of tests does not mean the processes, which it would make larger.
    const { NODE_V8_COVERAGE: _, ...variables } = setup.variables
    this.#setup = { ...setup, variables: { ...variables, ...told, PORT: String(port) } }
  }

  get isGivenUp(): boolean {
    return this.#deaths.length >= deathsMax
  }

  get lives(): Lives {
    const { name, memoryBytes } = this.#setup
    const { ownBytes: peakBytes, allBytesMax: peakWithFilesBytes } = this.#peak
    return { name, memoryBytes, peakBytes, peakWithFilesBytes, deaths: this.#deaths }
  }

  /** Resolves when it is ready; rejects when it has died too often before. */
  start(): Promise<void> {
    const ready = Promise.withResolvers<void>()
    this.#isWanted = true
    this.#supervised = this.#supervise(ready)
    return ready.promise
  }

  /** As Kubernetes does: asked, and killed where that does not help, which counts as a death. */
  async stop(): Promise<void> {
    this.#isWanted = false
    const child = this.#child
    if (child !== undefined) this.#look(child)
    child?.kill('SIGTERM')
    const killer = setTimeout(() => {
      this.#deaths.push('did not stop')
      child?.kill('SIGKILL')
    }, stopMsMax)
    await this.#supervised
    clearTimeout(killer)
  }

  async #supervise(ready: PromiseWithResolvers<void>): Promise<void> {
    while (this.#isWanted && !this.isGivenUp && !this.#resources.disposed) {
      const child = this.#begin()
      waitForLine(child, (line) => (line.startsWith('Parcomolo is ready') ? line : undefined)).then(
        () => ready.resolve(),
        () => undefined
      )
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
      if (!this.#isWanted || this.#resources.disposed) return
      this.#deaths.push(`${signal ?? `code ${code}`}${reasonIn(this.#lastWords)}`)
      await wait(this.#setup.restartMs ?? restartMs)
    }
    ready.reject(new Error(`'${this.#setup.name}' has died ${this.#deaths.length} times: ${this.#deaths.join('; ')}`))
    ready.promise.catch(() => undefined)
  }

  #begin(): ChildProcess {
    const { variables, args = [] } = this.#setup
    const node = [process.execPath, ...args, program, 'start']
    this.#lastWords = []
    const child = start(this.#resources, {
      ...(this.#group === undefined
        ? { command: node[0]!, args: node.slice(1) }
        : { command: '/bin/sh', args: ['-c', 'echo $$ > "$0" && exec "$@"', this.#group, ...node] }),
      env: { ...variables, LOG_LEVEL: 'error' },
      endsBy: 'SIGTERM',
      onComplaint: (line) => this.#lastWords.push(...(this.#lastWords.length < wordsMax ? [line] : []))
    })
    this.#child = child
    const watch = setInterval(() => this.#look(child), lookMs)
    child.once('exit', () => clearInterval(watch))
    return child
  }

  #look(child: ChildProcess): void {
    const { ownBytes, allBytesMax } = residentOf(child.pid!)
    this.#peak = {
      ownBytes: Math.max(this.#peak.ownBytes, ownBytes),
      allBytesMax: Math.max(this.#peak.allBytesMax, allBytesMax)
    }
    const { memoryBytes } = this.#setup
    if (this.#group === undefined && memoryBytes !== undefined && ownBytes > memoryBytes) child.kill('SIGKILL')
  }
}

/** What the image runs. */
export const program = 'dist/cli/parcomolo.js'

const knowsMemory = Object.values<{ name: string }>(settings).some(({ name }) => name === 'PARCOMOLO_MEMORY')

/** So that two stages of one run have no group in common. */
let groups = 0

const deathsMax = 5
const restartMs = 1_000
/** The chart's grace, and what Kubernetes needs to notice. */
const stopMsMax = 45_000
const lookMs = 100
const wordsMax = 40

/** Now, and since the process began. */
type Resident = { readonly ownBytes: number; readonly allBytesMax: number }

/** As the kernel counts it; 0 once the process has ended. */
const residentOf = (pid: number): Resident => {
  const status = readStatus(pid)
  const bytesOf = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { ownBytes: bytesOf('RssAnon') + bytesOf('RssShmem'), allBytesMax: bytesOf('VmHWM') }
}

const readStatus = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

const reasonIn = (lines: readonly string[]): string => {
  const line = lines.find((text) => /heap out of memory|PARCOMOLO_\w+|Error:/.test(text)) ?? lines[0]
  return line === undefined ? '' : ` (${line.slice(0, 160)})`
}
