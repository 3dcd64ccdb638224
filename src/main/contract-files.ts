import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Contract,
  type Contracts,
  contractSet,
  readContract,
  readTextFile,
  type ReleaseService
} from '../contract/index.ts'
import { namedTwice } from '../saga/index.ts'
import type { Application } from '../application/index.ts'
import { yamlFiles } from '../operator/files/index.ts'
import { isHosted } from './system.ts'

/** A file that is no contract that can be used beside the others. */
export type OnRefused = (path: string, error: unknown) => void

/**
 * The contracts of all participants under `<sagas>/participants/`, and those of the application's own services where
 * the folder does not have them: they run in any case, and whoever has only participants of their own need not copy
 * them. A file that is refused concerns its own participant alone: it is told and left out. Rejects with what is wrong
 * where that is a service of this release, and by default at any.
 */
export const readContractFiles = async (
  sagasDir: string,
  application: Application,
  onRefused: OnRefused = rethrow
): Promise<Contracts> => {
  const own = await contractsIn(join(sagasDir, 'participants'), application.reserved, onRefused)
  const named = new Set(own.map(({ contract }) => contract.participant))
  const isOwn = ({ contract }: Found): boolean => isHosted(application, contract.participant)
  const hasAll = application.services.every(({ name }) => named.has(name))
  const shipped = hasAll ? [] : (await contractsIn(shippedParticipants, application.reserved)).filter(isOwn)
  const missing = shipped.filter(({ contract }) => !named.has(contract.participant))
  // The services first: between one of them and a participant that has taken its names, they are right.
  const found = [...missing, ...own.filter(isOwn), ...own.filter((it) => !isOwn(it))]
  const taken: Contract[] = []
  for (const { path, contract } of found) {
    try {
      contractSet([...taken, contract])
      taken.push(contract)
    } catch (error) {
      onRefused(path, error)
    }
  }
  return contractSet(taken)
}

/** Those of this release. */
const shippedParticipants = fileURLToPath(new URL('../../sagas/participants', import.meta.url))

type Found = { readonly path: string; readonly contract: Contract }

const rethrow: OnRefused = (_, error) => {
  throw error
}

const contractsIn = async (
  dir: string,
  reserved: readonly ReleaseService[],
  onRefused: OnRefused = rethrow
): Promise<Found[]> => {
  const found: Found[] = []
  for (const path of await yamlFiles(dir)) {
    try {
      found.push({ path, contract: readContract({ path, text: await readTextFile(path) }, reserved) })
    } catch (error) {
      onRefused(path, error)
    }
  }
  const twice = namedTwice(
    'participant',
    found.map(({ path, contract }) => ({ path, name: contract.participant }))
  )
  for (const [path, error] of twice) onRefused(path, error)
  return found.filter(({ path }) => !twice.has(path))
}
