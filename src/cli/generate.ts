import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ErrorCode, ParcomoloError } from '../base/index.ts'
import { type GeneratedFile, generateTypes } from '../contract/index.ts'
import { generateResources } from '../operator/crd/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { readContracts, readText } from './read-files.ts'

export const generate: Command = {
  name: 'generate',
  takes: '[FOLDER]',
  summary:
    'write the TypeScript types of the participants in FOLDER (sagas/participants) into this project; --check only compares; --resources: also what is made of the fields of sagas and participants (schemas, tables)',
  arguments: { min: 0, max: 1 },
  options: { check: { type: 'boolean' }, into: { type: 'string' }, resources: { type: 'boolean' } },
  run: async ({ arguments: [folder = 'sagas/participants'], options, terminal, program }) => {
    const contracts = await readContracts(folder, program.reserved)
    const into = String(options['into'] ?? '.')
    const types = generateTypes(contracts.all).map(({ path, text }) => ({ path: join(into, path), text }))
    const resources = options['resources'] === true ? await resourceFiles(into) : []
    const [staleTypes, staleResources] = [await staleOf(types), await staleOf(resources)]
    if (options['check'] === true) {
      refuse('PARCOMOLO_CLI_TYPES_STALE', staleTypes, `what the contracts in '${folder}' give`)
      refuse('PARCOMOLO_CLI_RESOURCES_STALE', staleResources, "what 'src/operator/crd' gives")
    }
    for (const { path, text } of [...staleTypes, ...staleResources]) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
      terminal.out(`wrote ${path}`)
    }
    return exitCode.done
  }
}

const refuse = (code: ErrorCode, stale: readonly GeneratedFile[], expected: string): void => {
  if (stale.length === 0) return
  const paths = stale.map(({ path }) => `'${path}'`).join(', ')
  throw new ParcomoloError(code, `not ${expected}: ${paths}; run 'npm run generate' and commit the result`)
}

const staleOf = async (files: readonly GeneratedFile[]): Promise<GeneratedFile[]> => {
  const present = await Promise.all(files.map(({ path }) => readFile(path, 'utf8').catch(() => undefined)))
  return files.filter(({ text }, at) => text !== present[at])
}

const resourceFiles = (into: string): Promise<GeneratedFile[]> =>
  Promise.all(
    generateResources().map(async (part) => {
      const path = join(into, part.path)
      return { path, text: part.between === undefined ? part.text : await withPart(path, part.text, part.between) }
    })
  )

/** The file as it is, with another text between its two comments. */
const withPart = async (path: string, text: string, word: string): Promise<string> => {
  const file = await readText(path)
  const [before, after] = [`<!-- ${word}: written by 'npm run generate' -->\n`, `\n<!-- end of ${word} -->`]
  const [start, end] = [file.text.indexOf(before), file.text.indexOf(after)]
  if (start === -1 || end < start) {
    throw new ParcomoloError(
      'PARCOMOLO_CLI_RESOURCES_STALE',
      `'${path}' has no '${before.trim()}' with '${after.trim()}' behind it; put both back, each on a line of its own`
    )
  }
  return `${file.text.slice(0, start + before.length)}\n${text}\n${file.text.slice(end)}`
}
