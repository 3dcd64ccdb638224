import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import { type GeneratedFile, generateTypes } from '../contract/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { readContracts } from './read-files.ts'

export const generate: Command = {
  name: 'generate',
  takes: '[FOLDER]',
  summary:
    'write the TypeScript types of the participants in FOLDER (sagas/participants) into this project; --check only compares',
  arguments: { min: 0, max: 1 },
  options: { check: { type: 'boolean' }, into: { type: 'string' } },
  run: async ({ arguments: [folder = 'sagas/participants'], options, terminal }) => {
    const contracts = await readContracts(folder)
    const into = String(options['into'] ?? '.')
    const files = generateTypes(contracts.all).map(({ path, text }) => ({ path: join(into, path), text }))
    const stale = await staleOf(files)
    if (options['check'] === true && stale.length > 0) {
      const paths = stale.map(({ path }) => `'${path}'`).join(', ')
      const text = `not what the contracts in '${folder}' give: ${paths}; run 'npm run generate' and commit the result`
      throw new ParcomoloError('PARCOMOLO_CLI_TYPES_STALE', text)
    }
    for (const { path, text } of stale) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
      terminal.out(`wrote ${path}`)
    }
    return exitCode.done
  }
}

const staleOf = async (files: readonly GeneratedFile[]): Promise<GeneratedFile[]> => {
  const present = await Promise.all(files.map(({ path }) => readFile(path, 'utf8').catch(() => undefined)))
  return files.filter(({ text }, at) => text !== present[at])
}
