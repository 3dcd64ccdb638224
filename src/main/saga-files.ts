import { join } from 'node:path'
import { type Clock, inTime, isParcomoloError, ParcomoloError } from '../base/index.ts'
import { isYamlName, readContract, readTextFile } from '../contract/index.ts'
import type { Definitions, Publisher } from '../orchestrator/index.ts'
import { type LoadedDefinition, loadSaga, namedTwice } from '../saga/index.ts'
import { yamlFiles } from './contract-files.ts'
import { FolderWatch } from './folder-watch.ts'
import type { Participants } from './participants.ts'

/** How a folder is read. */
export type FolderFiles = {
  /** Of its YAML files, in the order of their names. */
  paths(dir: string): Promise<readonly string[]>
  text(path: string): Promise<string>
}

export type SagaFolderDeps = {
  readonly dir: string
  /** From the disk if not given. */
  readonly files?: FolderFiles
  readonly participants: Participants
  readonly definitions: Definitions
  readonly publisher: Publisher
  readonly clock: Clock
  /** A revision was published, or a saga retired. */
  readonly onPublished: (saga: string, revision: string, what: 'published' | 'retired') => void
  /** A file is not a valid saga; what was published before stays. */
  readonly onRefused: (path: string, error: unknown) => void
  /** The file of a saga is gone, but those that are refused may be where it stands now. Told once. */
  readonly onKept?: (saga: string, refused: readonly string[]) => void
}

export type SagaFilesDeps = SagaFolderDeps & {
  /** Changes in a folder are no longer told by the system, and seen a little later. */
  readonly onUntold?: (folder: string, error: unknown) => void
}

/** What is under way when it is closed is not waited for any longer: a disk may never answer. */
const closeMsMax = 2_000

/**
 * Publishes the participants and sagas of a folder, and again whatever changes there. Equal meaning publishes nothing.
 * A saga whose file is gone is retired; a participant stays, as nobody knows who else's sagas use it.
 * Resolves when the folder has been read once; `close` ends the watch.
 */
export const followSagaFiles = async (deps: SagaFilesDeps): Promise<{ close(): Promise<void> }> => {
  const { dir, clock } = deps
  const folder = new SagaFolder(deps)
  const watch = new FolderWatch({
    ...{ folders: [dir, participantsIn(dir)], isOurs: isYamlName, clock },
    onChange: () => folder.publish(),
    onUntold: (path, error) => deps.onUntold?.(path, error)
  })
  await watch.start()
  const late = new ParcomoloError('PARCOMOLO_FILE_UNREADABLE', `'${dir}' is still being read; expected it to be done`)
  return { close: () => inTime(clock, closeMsMax, watch.close(), () => late).catch(() => undefined) }
}

/** What stands in the way of a file and may pass by itself, such as a registry that is away, is looked at so often. */
const triedAgainMs = 1_000

/** A file that has gone for less than this is being written anew, as by a checkout: its saga is not retired. */
const goneMsMax = 3_000

const participantsIn = (dir: string): string => join(dir, 'participants')

/** The names of all sagas that have a file, and the paths of files that may hold any. */
type Found = { readonly found: ReadonlySet<string>; readonly refused: readonly string[] }

const onDisk: FolderFiles = { paths: yamlFiles, text: readTextFile }

type Named = { readonly name: string }
type Read<T> = { readonly path: string; readonly yaml: string; readonly loaded: T }

/** What stands in a folder, brought into force pass by pass. */
export class SagaFolder {
  readonly #deps: SagaFolderDeps
  /** Sagas without a file: since when, or that they are kept, as was told. */
  #gone = new Map<string, number | 'kept'>()
  #isFirst = true
  /** What was refused in this pass, why, and whether some of it may pass by itself; and what need not be told again. */
  #refused = new Map<string, string>()
  #mayPass = false
  #told: ReadonlyMap<string, string> = new Map()

  constructor(deps: SagaFolderDeps) {
    this.#deps = deps
  }

  /**
   * One pass over the folder. A file that cannot be read or is refused keeps its saga as it is. Resolves with the ms
   * after which there is to be another one.
   */
  async publish(): Promise<number | undefined> {
    this.#told = this.#mayPass ? this.#refused : new Map()
    this.#refused = new Map()
    this.#mayPass = false
    let againMs: number | undefined
    try {
      await this.#acceptParticipants()
      againMs = await this.#retireMissing(await this.#publishSagas())
      this.#isFirst = false
    } catch (error) {
      this.#refuse(this.#deps.dir, error)
    }
    return this.#mayPass ? Math.min(againMs ?? Infinity, triedAgainMs) : againMs
  }

  #refuse(path: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#refused.set(path, message)
    this.#mayPass ||= mayPass(error)
    if (this.#told.get(path) !== message) this.#deps.onRefused(path, error)
  }

  async #acceptParticipants(): Promise<void> {
    const { dir, participants } = this.#deps
    const load = (path: string, text: string): Named => ({ name: readContract({ path, text }).participant })
    const { files } = await this.#read(participantsIn(dir), 'participant', load)
    for (const { path, yaml, loaded } of files)
      await this.#tried(path, () => participants.accept({ name: loaded.name, source: path, yaml }))
  }

  async #publishSagas(): Promise<Found> {
    const { dir, definitions } = this.#deps
    // Of what this process, or another one, has published just now.
    await definitions.caughtUp()
    const load = (path: string, text: string) => loadSaga({ path, text }, definitions.contracts)
    const { files, names, refused } = await this.#read(dir, 'saga', load)
    for (const file of files)
      if (!(await this.#tried(file.path, () => this.#publish(file, file.loaded)))) refused.push(file.path)
    return { found: names, refused }
  }

  /** What can be read and has a name of its own. */
  async #read<T extends Named>(dir: string, what: 'saga' | 'participant', load: (path: string, text: string) => T) {
    const { files = onDisk } = this.#deps
    const read: Read<T>[] = []
    const refused: string[] = []
    for (const path of await files.paths(dir)) {
      const isRead = await this.#tried(path, async () => {
        const yaml = await files.text(path)
        read.push({ path, yaml, loaded: load(path, yaml) })
      })
      if (!isRead) refused.push(path)
    }
    const twice = namedTwice(
      what,
      read.map(({ path, loaded: { name } }) => ({ path, name }))
    )
    for (const [path, error] of twice) this.#refuse(path, error)
    return {
      files: read.filter(({ path }) => !twice.has(path)),
      names: new Set(read.map(({ loaded: { name } }) => name)),
      refused
    }
  }

  async #publish({ path, yaml }: Read<unknown>, { name, revision }: LoadedDefinition): Promise<void> {
    const { definitions, publisher, onPublished } = this.#deps
    if (definitions.current(name)?.revision === revision) return
    await publisher.publish({ saga: name, revision, source: path, yaml, retired: false })
    onPublished(name, revision, 'published')
  }

  /** A refused file may be the one that a saga stands in now, so nothing is retired while there is one. */
  async #retireMissing({ found, refused }: Found): Promise<number | undefined> {
    const { definitions, clock } = this.#deps
    const before = this.#gone
    this.#gone = new Map()
    let againMs: number | undefined
    for (const { name, revision } of definitions.startable()) {
      if (found.has(name)) continue
      if (refused.length > 0) {
        this.#keep(name, revision, refused, before)
        continue
      }
      const seen = before.get(name)
      const since = typeof seen === 'number' ? seen : clock.now()
      const leftMs = this.#isFirst ? 0 : since + goneMsMax - clock.now()
      if (leftMs <= 0) await this.#retire(name, revision)
      else {
        this.#gone.set(name, since)
        againMs = Math.min(againMs ?? Infinity, leftMs)
      }
    }
    return againMs
  }

  #keep(name: string, revision: string, refused: readonly string[], before: ReadonlyMap<string, unknown>): void {
    const { definitions, onKept } = this.#deps
    this.#gone.set(name, 'kept')
    if (before.get(name) === 'kept' || refused.includes(definitions.revision(name, revision)!.source)) return
    onKept?.(name, refused)
  }

  async #retire(name: string, revision: string): Promise<void> {
    const { definitions, publisher, onPublished } = this.#deps
    const { source, yaml } = definitions.revision(name, revision)!
    await publisher.publish({ saga: name, revision, source, yaml, retired: true })
    onPublished(name, revision, 'retired')
  }

  /** False where it is refused, which has been told then. */
  async #tried(path: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#refuse(path, error)
      return false
    }
  }
}

/** A contract of the release waits for another release, and whoever brings that starts the process anew. */
const mayPass = (error: unknown): boolean =>
  isParcomoloError(error) && error.retryable && error.code !== 'PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE'
