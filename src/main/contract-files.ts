import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import { type Contracts, contractSet, readContract } from '../contract/index.ts'

/** The contracts of all participants under `<sagas>/participants/`. */
export const readContractFiles = async (sagasDir: string): Promise<Contracts> => {
  const dir = join(sagasDir, 'participants')
  const files = await yamlFiles(dir)
  return contractSet(
    await Promise.all(files.map(async (path) => readContract({ path, text: await readFile(path, 'utf8') })))
  )
}

/** The YAML files of a folder, in the order of their names. */
export const yamlFiles = async (dir: string): Promise<string[]> => {
  try {
    const names = await readdir(dir)
    return names
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
      .sort()
      .map((name) => join(dir, name))
  } catch (cause) {
    throw new ParcomoloError(
      'PARCOMOLO_MAIN_SAGAS_UNREADABLE',
      `the folder '${dir}' cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}); ` +
        'it holds the sagas and their participants; set PARCOMOLO_SAGAS to the folder that has them',
      { cause }
    )
  }
}
