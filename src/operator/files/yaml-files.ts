import { join } from 'node:path'
import { ParcomoloError } from '../../base/index.ts'
import { yamlNames } from '../../contract/index.ts'

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
