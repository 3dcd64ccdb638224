import { dirname, join, resolve } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import {
  type Contract,
  type Contracts,
  contractSet,
  readContract,
  readTextFile,
  type ReleaseService,
  yamlNames
} from '../contract/index.ts'
import { type LoadedDefinition, loadSaga, namedTwice } from '../saga/index.ts'

type Reserved = readonly ReleaseService[]

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
export const loadFrom = async (file: TextFile, participants: string, reserved: Reserved): Promise<LoadedDefinition> =>
  loadSaga(file, await readContracts(participants, reserved))

/** Where a saga's participants are if nobody says otherwise. */
export const participantsBeside = (path: string): string => join(dirname(path), 'participants')

/** The contracts of all participants in a folder. */
export const readContracts = async (folder: string, reserved: Reserved): Promise<Contracts> => {
  const files = await yamlFilesIn(folder)
  const contracts = files.map((file) => readContract(file, reserved))
  const named = contracts.map(({ participant: name }, i) => ({ name, path: files[i]!.path }))
  for (const error of namedTwice('participant', named).values()) throw error
  return contractSet(contracts)
}

export const isParticipant = ({ text }: TextFile): boolean => /^kind:\s*Participant\s*$/m.test(text)

/**
 * The other participants that one has to get on with: those of its own folder, or of the given one, where a contract of
 * its name is an earlier version of it. What is wrong with them is not told here.
 */
export const neighboursOf = async (
  file: TextFile,
  reserved: Reserved,
  folder = dirname(file.path)
): Promise<Contract[]> => {
  const own = resolve(file.path)
  const isElsewhere = resolve(folder) !== dirname(own)
  const files = (await yamlFilesIn(folder)).filter((other) => isParticipant(other) && resolve(other.path) !== own)
  const name = isElsewhere ? readContract(file, reserved).participant : undefined
  return files.flatMap((one) => readableContract(one, reserved)).filter(({ participant }) => participant !== name)
}

const readableContract = (file: TextFile, reserved: Reserved): Contract[] => {
  try {
    return [readContract(file, reserved)]
  } catch (error) {
    if (isParcomoloError(error)) return []
    throw error
  }
}

const yamlFilesIn = async (folder: string): Promise<TextFile[]> => {
  const names = await yamlNames(folder).catch((cause: unknown) => {
    throw unreadable(folder, (cause as NodeJS.ErrnoException).code, cause)
  })
  return Promise.all(names.map((name) => readAs(join(folder, name), false)))
}

const unreadable = (path: string, reason: unknown, cause: unknown): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_CLI_FILE_UNREADABLE', `'${path}' cannot be read (${String(reason)}); expected a path`, {
    cause
  })
