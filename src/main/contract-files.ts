import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ParcomoloError } from '../base/index.ts'
import { type Contract, type Contracts, contractSet, readContract, readTextFile, yamlNames } from '../contract/index.ts'
import { namedTwice } from '../saga/index.ts'
import { hostedParticipants } from './system.ts'

/**
 * The contracts of all participants under `<sagas>/participants/`, and those of the shop's own services where the
 * folder does not have them: they run in any case, and whoever has only participants of their own need not copy them.
 */
export const readContractFiles = async (sagasDir: string): Promise<Contracts> => {
  const own = await contractsIn(join(sagasDir, 'participants'))
  const named = new Set(own.map(({ participant }) => participant))
  if ([...hostedParticipants].every((name) => named.has(name))) return contractSet(own)
  const shipped = await contractsIn(shippedParticipants)
  const missing = ({ participant }: Contract): boolean => hostedParticipants.has(participant) && !named.has(participant)
  return contractSet([...own, ...shipped.filter(missing)])
}

/** Those of this release. */
const shippedParticipants = fileURLToPath(new URL('../../sagas/participants', import.meta.url))

const contractsIn = async (dir: string): Promise<Contract[]> => {
  const files = await yamlFiles(dir)
  const contracts = await Promise.all(files.map(async (path) => readContract({ path, text: await readTextFile(path) })))
  const named = contracts.map(({ participant: name }, i) => ({ name, path: files[i]! }))
  for (const error of namedTwice('participant', named).values()) throw error
  return contracts
}

/** The YAML files of a folder, in the order of their names. */
export const yamlFiles = async (dir: string): Promise<string[]> => {
  try {
    return (await yamlNames(dir)).map((name) => join(dir, name))
  } catch (cause) {
    throw new ParcomoloError(
      'PARCOMOLO_MAIN_SAGAS_UNREADABLE',
      `the folder '${dir}' cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}); ` +
        'it holds the sagas and their participants; set PARCOMOLO_SAGAS to the folder that has them',
      { cause }
    )
  }
}
