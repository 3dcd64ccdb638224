import { dirname, join } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Contracts, contractSet, readContract, readTextFile, yamlNames } from '../contract/index.ts'
import { type LoadedDefinition, loadSaga, namedTwice } from '../saga/index.ts'

export type TextFile = { readonly path: string; readonly text: string }

/** Of a file that the command line names, or whatever comes through a pipe. */
export const readText = (path: string): Promise<TextFile> => readAs(path, true)

const readAs = async (path: string, takesPipes: boolean): Promise<TextFile> => {
  try {
    return { path, text: await readTextFile(path, { takesPipes }) }
  } catch (cause) {
    throw isParcomoloError(cause, 'PARCOMOLO_FILE_UNREADABLE')
      ? unreadable(path, cause.details['reason'], cause)
      : cause
  }
}

/** Checks a saga against the participants of a folder; throws PARCOMOLO_SAGA_INVALID with all that is wrong. */
export const loadFrom = async (file: TextFile, participants: string): Promise<LoadedDefinition> =>
  loadSaga(file, await readContracts(participants))

/** Where a saga's participants are if nobody says otherwise. */
export const participantsBeside = (path: string): string => join(dirname(path), 'participants')

/** The contracts of all participants in a folder. */
export const readContracts = async (folder: string): Promise<Contracts> => {
  const names = await yamlNames(folder).catch((cause: unknown) => {
    throw unreadable(folder, (cause as NodeJS.ErrnoException).code, cause)
  })
  const files = await Promise.all(names.map((name) => readAs(join(folder, name), false)))
  const contracts = files.map(readContract)
  const named = contracts.map(({ participant: name }, i) => ({ name, path: files[i]!.path }))
  for (const error of namedTwice('participant', named).values()) throw error
  return contractSet(contracts)
}

const unreadable = (path: string, reason: unknown, cause: unknown): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_CLI_FILE_UNREADABLE', `'${path}' cannot be read (${String(reason)}); expected a path`, {
    cause
  })
