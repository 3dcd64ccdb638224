import { basename } from 'node:path'
import { type Clock, isParcomoloError } from '../../base/index.ts'
import { isYamlName } from '../../contract/index.ts'
import { type Definitions, type Publisher, type SagaText, waitsForInstances } from '../../orchestrator/index.ts'
import { type LoadedDefinition, loadSaga, namedTwice } from '../../saga/index.ts'
import type { ParticipantText } from '../ports.ts'
import { type FolderFiles, type FolderSource, readFolder } from './folder-files.ts'
import type { Participants } from './participants.ts'

export type SagaFolderDeps = {
  readonly dir: string
  /** The disk if not given. */
  readonly from?: FolderSource
  readonly participants: Participants
  readonly definitions: Definitions
  readonly publisher: Publisher
  readonly clock: Clock
  /** A revision was published, or a saga retired. */
  readonly onPublished: (saga: string, revision: string, what: 'published' | 'retired') => void
  /** A file is not valid, or cannot be in force beside the others; what was published before stays. */
  readonly onRefused: (path: string, error: unknown) => void
  /** The file of a saga is gone, but those that are refused may be where it stands now. Told once. */
  readonly onKept?: (saga: string, refused: readonly string[]) => void
  /** The file of a participant is gone, and a saga needs it. Told once for each reason. */
  readonly onNeeded?: (participant: string, path: string, error: unknown) => void
}

/** A file that has gone for less than this is being written anew, as by a checkout: what it held stays in force. */
const goneMsMax = 3_000
/** What something outside stands in the way of, such as a registry that is away, is tried again so often. */
const triedAgainMs = 1_000
/** So often it is looked whether the instances have ended that are in the way of something. */
const endedMs = 5_000

/** One round over what stands in the folder. */
class Round {
  /** What has come into force, or gone out of it, may let in what was refused before. */
  hasChanged = false
  readonly refused: Map<string, unknown>
  readonly kept = new Map<string, readonly string[]>()
  readonly needed = new Map<string, { readonly path: string; readonly error: unknown }>()
  againMs: number | undefined

  constructor(faults: ReadonlyMap<string, unknown>) {
    this.refused = new Map(faults)
  }

  get isClean(): boolean {
    return this.refused.size + this.kept.size + this.needed.size === 0
  }

  again(ms: number): void {
    this.againMs = Math.min(this.againMs ?? Infinity, ms)
  }

  refuse(path: string, error: unknown): void {
    this.refused.set(path, error)
    if (waitsForInstances(error)) this.again(endedMs)
    if (mayPass(error)) this.again(triedAgainMs)
  }

  /** False where it is refused. */
  async tried(path: string, work: () => unknown): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.refuse(path, error)
      return false
    }
  }
}

/** A contract of the release waits for another release, and whoever brings that starts the process anew. */
const mayPass = (error: unknown): boolean =>
  isParcomoloError(error) && error.retryable && error.code !== 'PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE'

/** The names of all sagas that have a file, and the paths of files that may hold any. */
type Found = { readonly names: ReadonlySet<string>; readonly refused: readonly string[] }

/**
 * Brings into force what the files of a folder say.
 *
 * F1. Equal meaning publishes nothing; a file that is refused leaves what was in force before.
 * F2. What stands there is judged as a whole: in which order files are read, or were saved, decides nothing.
 * F3. A saga whose file is gone is retired, and a participant is withdrawn where no saga in force or with instances
 *     needs it; neither as long as there is a file that cannot be read, and may hold it now.
 */
export class SagaFolder {
  readonly #deps: SagaFolderDeps
  /** Since when there has been no file of what is in force. */
  #gone = new Map<string, number>()
  /** What was told last, by what it is about. */
  #told = new Map<string, string>()
  #isFirst = true

  constructor(deps: SagaFolderDeps) {
    this.#deps = deps
  }

  /**
   * One pass. `hasChanged`: somebody has saved something, and wants to hear what is wrong. Resolves with the ms after
   * which there is to be another one.
   */
  async publish(hasChanged: boolean): Promise<number | undefined> {
    const round = await this.#lastRound()
    this.#tell(round, hasChanged)
    return round.againMs
  }

  async #lastRound(): Promise<Round> {
    const { dir, from, definitions } = this.#deps
    try {
      const files = await readFolder(dir, from)
      // What this process, or another one, has published just now is what the files are compared with.
      await definitions.caughtUp()
      let round = await this.#round(files)
      // A round that has to be followed by another has brought at least one file into force.
      for (let left = files.participants.length + files.sagas.length; left > 0; left--) {
        if (!round.hasChanged || round.isClean) break
        round = await this.#round(files)
      }
      this.#isFirst = false
      return round
    } catch (error) {
      const round = new Round(new Map())
      round.refuse(dir, error)
      return round
    }
  }

  async #round(files: FolderFiles): Promise<Round> {
    const round = new Round(files.faults)
    const before = this.#gone
    this.#gone = new Map()
    for (const participant of files.participants) await this.#accept(participant, files, round)
    const found = await this.#publishSagas(files, round)
    await this.#retireMissing(found, before, round)
    if (!files.hasUnreadParticipants) await this.#withdrawMissing(files.participantNames, before, round)
    return round
  }

  async #accept(participant: ParticipantText, { sagas, participants }: FolderFiles, round: Round): Promise<void> {
    await round.tried(participant.source, async () => {
      const taken = await this.#deps.participants.accept(participant, {
        sagas: () => sagas,
        participants: () => participants
      })
      if (taken.isNew) round.hasChanged = true
      for (const { saga, revision } of taken.sagas) this.#deps.onPublished(saga, revision, 'published')
    })
  }

  async #publishSagas({ sagas, unreadSagas }: FolderFiles, round: Round): Promise<Found> {
    const { contracts } = this.#deps.definitions
    const refused = [...unreadSagas]
    const read: { readonly path: string; readonly yaml: string; readonly loaded: LoadedDefinition }[] = []
    for (const { source: path, yaml } of sagas) {
      const load = (): unknown => read.push({ path, yaml, loaded: loadSaga({ path, text: yaml }, contracts) })
      if (!(await round.tried(path, load))) refused.push(path)
    }
    const twice = namedTwice(
      'saga',
      read.map(({ path, loaded: { name } }) => ({ path, name }))
    )
    for (const [path, error] of twice) round.refused.set(path, error)
    for (const { path, yaml, loaded } of read) {
      if (twice.has(path)) continue
      if (!(await round.tried(path, () => this.#publish({ source: path, yaml }, loaded, round)))) refused.push(path)
    }
    return { names: new Set(read.map(({ loaded: { name } }) => name)), refused }
  }

  async #publish(text: SagaText, { name, revision }: LoadedDefinition, round: Round): Promise<void> {
    const { definitions, publisher, onPublished } = this.#deps
    if (definitions.current(name)?.revision === revision) return
    await publisher.publish({ saga: name, revision, ...text, retired: false })
    await definitions.caughtUp()
    round.hasChanged = true
    onPublished(name, revision, 'published')
  }

  /** A refused file may be the one that a saga stands in now, so nothing is retired while there is one. */
  async #retireMissing({ names, refused }: Found, before: ReadonlyMap<string, number>, round: Round): Promise<void> {
    const { definitions } = this.#deps
    for (const { name, revision } of definitions.startable()) {
      if (names.has(name)) continue
      if (refused.length > 0) {
        if (!refused.includes(definitions.revision(name, revision)!.source)) round.kept.set(name, refused)
      } else if (this.#isGone(`saga ${name}`, before, round)) await this.#retire(name, revision, round)
    }
  }

  async #retire(name: string, revision: string, round: Round): Promise<void> {
    const { definitions, publisher, onPublished } = this.#deps
    const { source, yaml } = definitions.revision(name, revision)!
    await publisher.publish({ saga: name, revision, source, yaml, retired: true })
    await definitions.caughtUp()
    round.hasChanged = true
    onPublished(name, revision, 'retired')
  }

  /** Whoever has published a participant from elsewhere withdraws it there. */
  async #withdrawMissing(names: ReadonlySet<string>, before: ReadonlyMap<string, number>, round: Round): Promise<void> {
    const { definitions, participants } = this.#deps
    for (const { contract, source } of definitions.published()) {
      const name = contract.participant
      if (names.has(name) || !isYamlName(basename(source))) continue
      if (!this.#isGone(`participant ${name}`, before, round)) continue
      try {
        await participants.withdraw(name)
        round.hasChanged = true
      } catch (error) {
        if (!isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE')) throw error
        round.needed.set(name, { path: source, error })
        if (waitsForInstances(error)) round.again(endedMs)
      }
    }
  }

  /** Whether there has been no file of it for long enough; a start does not wait for one. */
  #isGone(what: string, before: ReadonlyMap<string, number>, round: Round): boolean {
    const now = this.#deps.clock.now()
    const since = before.get(what) ?? now
    this.#gone.set(what, since)
    const leftMs = this.#isFirst ? 0 : since + goneMsMax - now
    if (leftMs > 0) round.again(leftMs)
    return leftMs <= 0
  }

  /** What is wrong with a file is told whenever somebody has saved one; all else once. */
  #tell({ refused, kept, needed }: Round, hasChanged: boolean): void {
    const { onRefused, onKept, onNeeded } = this.#deps
    const before = this.#told
    this.#told = new Map()
    const isNews = (about: string, text: string): boolean => {
      this.#told.set(about, text)
      return before.get(about) !== text
    }
    for (const [path, error] of refused) if (isNews(path, String(error)) || hasChanged) onRefused(path, error)
    for (const [saga, paths] of kept) if (isNews(`saga ${saga}`, 'kept')) onKept?.(saga, paths)
    for (const [name, { path, error }] of needed)
      if (isNews(`participant ${name}`, String(error))) onNeeded?.(name, path, error)
  }
}
