import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/index.ts'

export type FolderWatchDeps = {
  readonly folders: readonly string[]
  /** Whether a file of this name matters. */
  readonly isOurs: (name: string) => boolean
  readonly clock: Clock
  /**
   * Reads the folders; what changes until this resolves is told afterwards. It does not reject, and may resolve with
   * the ms after which it is to be called again though nothing has changed; `hasChanged` is false then.
   */
  readonly onChange: (hasChanged: boolean) => Promise<number | undefined>
  /** The system does not tell of changes in a folder, so they are seen a little later. */
  readonly onUntold: (folder: string, error: unknown) => void
}

/** What the system does not tell (targets of links, folders made anew, network disks) is seen by a look so often. */
const lookEveryMs = 500
/** Editors write a file in several steps; it is read when two looks so far apart have found the same. */
const settleMs = 25
/**
 * Where something changes all the time, it is read all the same. So long may a file be empty, too: who writes one anew
 * makes it empty first.
 */
const settleMsMax = 1_000

/**
 * Tells when files in folders change, by whatever way. The system's own watch is on one inode and sees no target of a
 * link, so it only makes this quicker: what counts is what a look finds.
 */
export class FolderWatch {
  readonly #deps: FolderWatchDeps
  /** By folder: the identity of what is watched. */
  readonly #watched = new Map<string, { readonly identity: string; readonly watcher: FSWatcher | undefined }>()
  #found = ''
  /** The system has told of a change since the last look, after which size and time may still be what they were. */
  #isTouched = false
  /** Since when there is a change that has not been told. */
  #since: number | undefined
  /** When it is told again though nothing has changed. */
  #againAt = Infinity
  #wakeAt = Infinity
  #wake: (() => void) | undefined
  #cancelWake: (() => void) | undefined
  #isClosed = false
  #running: Promise<void> = Promise.resolve()

  constructor(deps: FolderWatchDeps) {
    this.#deps = deps
  }

  /** Resolves when what stands there now has been read. */
  async start(): Promise<void> {
    this.#found = await this.#look()
    await this.#tell(true)
    this.#running = this.#run()
  }

  /** Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { watcher } of this.#watched.values()) watcher?.close()
    this.#cancelWake?.()
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let waitMs = lookEveryMs; ;) {
      await this.#pause(this.#isTouched ? settleMs : waitMs)
      if (this.#isClosed) return
      waitMs = await this.#compare()
    }
  }

  /** Gives after how long to look again. */
  async #compare(): Promise<number> {
    const found = await this.#look()
    const hasChanged = this.#isTouched || found !== this.#found
    const isSettled = !hasChanged && !found.includes(emptyFile)
    this.#isTouched = false
    this.#found = found
    const now = this.#deps.clock.now()
    if (hasChanged) this.#since ??= now
    if (this.#since !== undefined && !isSettled && now - this.#since < settleMsMax) return settleMs
    if (this.#since !== undefined || now >= this.#againAt) await this.#tell(this.#since !== undefined)
    return lookEveryMs
  }

  async #tell(hasChanged: boolean): Promise<void> {
    this.#since = undefined
    const againMs = await this.#deps.onChange(hasChanged)
    this.#againAt = againMs === undefined ? Infinity : this.#deps.clock.now() + againMs
  }

  /** Ends earlier where the system tells of a change, or it is closed. */
  async #pause(ms: number): Promise<void> {
    if (this.#isClosed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    this.#wakeIn(ms)
    await promise
    this.#cancelWake?.()
    this.#wakeAt = Infinity
    this.#wake = undefined
  }

  #wakeIn(ms: number): void {
    const { clock } = this.#deps
    const at = clock.now() + ms
    if (this.#wake === undefined || at >= this.#wakeAt) return
    this.#cancelWake?.()
    this.#wakeAt = at
    this.#cancelWake = clock.at(at, this.#wake)
  }

  /** All that can differ where somebody has changed something. */
  async #look(): Promise<string> {
    const folders = await Promise.all(this.#deps.folders.map((folder) => this.#lookAt(folder)))
    return folders.flat().join('\n')
  }

  async #lookAt(folder: string): Promise<readonly string[]> {
    try {
      const { dev, ino } = await stat(folder, { bigint: true })
      this.#watch(folder, `${dev}:${ino}`)
      const names = (await readdir(folder)).filter(this.#deps.isOurs).sort()
      return [`${dev}:${ino}`, ...(await Promise.all(names.map((name) => lookAtFile(join(folder, name)))))]
    } catch (error) {
      return [codeOf(error)]
    }
  }

  #watch(folder: string, identity: string): void {
    const before = this.#watched.get(folder)
    if (this.#isClosed || before?.identity === identity) return
    before?.watcher?.close()
    this.#watched.set(folder, { identity, watcher: this.#watcherOf(folder) })
  }

  #watcherOf(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, (_, name) => this.#touched(name))
      watcher.on('error', (error) => {
        watcher.close()
        this.#deps.onUntold(folder, error)
      })
      return watcher
    } catch (error) {
      this.#deps.onUntold(folder, error)
      return undefined
    }
  }

  #touched(name: string | null): void {
    if (name !== null && !this.#deps.isOurs(name)) return
    this.#isTouched = true
    this.#wakeIn(settleMs)
  }
}

/** In no path. */
const emptyFile = '\0'

/** Of what a link leads to. */
const lookAtFile = async (path: string): Promise<string> => {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = await stat(path, { bigint: true })
    return `${path} ${dev}:${ino} ${size === 0n ? emptyFile : size} ${mtimeNs} ${ctimeNs} ${mode}`
  } catch (error) {
    return `${path} ${codeOf(error)}`
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
