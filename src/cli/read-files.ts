import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import { type Contracts, contractSet, readContract } from '../contract/index.ts'
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
export const readContracts = async (folder: string): Promise<Contracts> => {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause)
  })
  const paths = names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort()
  const files = await Promise.all(paths.map((name) => readText(join(folder, name))))
  return contractSet(files.map(readContract))
}

const unreadable = (path: string, cause: unknown): ParcomoloError => {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
  return new ParcomoloError('PARCOMOLO_CLI_FILE_UNREADABLE', `'${path}' cannot be read (${reason}); expected a path`, {
    cause
  })
}
