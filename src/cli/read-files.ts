import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Contract, type Contracts, contractSet, readContract } from '../contract/index.ts'
import { type LoadedDefinition, loadSaga } from '../saga/index.ts'

export type TextFile = { readonly path: string; readonly text: string }

export const readText = async (path: string): Promise<TextFile> => {
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Checks a saga against the participants of a folder; throws PARCOMOLO_SAGA_INVALID with all that is wrong. */
export const loadFrom = async (file: TextFile, participants: string): Promise<LoadedDefinition> =>
  loadSaga(file, await readContracts(participants))

/** Where a saga's participants are if nobody says otherwise. */
export const participantsBeside = (path: string): string => join(dirname(path), 'participants')

/** The contracts of all participants in a folder. */
export const readContracts = async (folder: string): Promise<Contracts> =>
  contractSet((await yamlFilesIn(folder)).map(readContract))

export const isParticipant = ({ text }: TextFile): boolean => /^kind:\s*Participant\s*$/m.test(text)

/**
 * The other participants that one has to get on with: those of its own folder, or of the given one, where a contract of
 * its name is an earlier version of it. What is wrong with them is not told here.
 */
export const neighboursOf = async (file: TextFile, folder = dirname(file.path)): Promise<Contract[]> => {
  const own = resolve(file.path)
  const isElsewhere = resolve(folder) !== dirname(own)
  const files = (await yamlFilesIn(folder)).filter((other) => isParticipant(other) && resolve(other.path) !== own)
  const name = isElsewhere ? readContract(file).participant : undefined
  return files.flatMap(readableContract).filter(({ participant }) => participant !== name)
}

const readableContract = (file: TextFile): Contract[] => {
  try {
    return [readContract(file)]
  } catch (error) {
    if (isParcomoloError(error)) return []
    throw error
  }
}

const yamlFilesIn = async (folder: string): Promise<TextFile[]> => {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause)
  })
  const paths = names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort()
  return Promise.all(paths.map((name) => readText(join(folder, name))))
}

const unreadable = (path: string, cause: unknown): ParcomoloError => {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
  return new ParcomoloError('PARCOMOLO_CLI_FILE_UNREADABLE', `'${path}' cannot be read (${reason}); expected a path`, {
    cause
  })
}
