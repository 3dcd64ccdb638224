/**
 * Writes what is made for the chart and from it: its copy of the sagas, its README's tables and its values.schema.json
 * from values.yaml, and the plain manifests from its templates (which needs `helm`). With --check it only tells what is
 * not current.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format } from 'prettier'
import { parse } from 'yaml'
import { hasHelm, helm } from './helm.ts'
import { plainManifests } from './plain-manifests.ts'
import { schemaOf, type Value } from './values-schema.ts'
import { tablesOf } from './values-table.ts'
import { remarksIn } from './values-text.ts'

const root = join(import.meta.dirname, '../..')
const chart = 'charts/parcomolo'

/** With no text: a file that has to go. */
type File = readonly [path: string, text: string | undefined]

const yamlFiles = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder))).filter((file) => file.endsWith('.yaml'))

/** What an editor would look for beside the file. */
const schemaRemark = /^# yaml-language-server: .*\n/m

/** A link to the project's folder would not survive a chart that is copied, nor a checkout on every system. */
const fromSagas = async (): Promise<readonly File[]> => {
  const files: File[] = []
  for (const folder of ['sagas', 'sagas/participants']) {
    const [sources, copies] = [await yamlFiles(folder), await yamlFiles(`${chart}/${folder}`)]
    for (const file of sources) {
      const remark = `# A copy of ${folder}/${file}, made by "npm run chart": change that one.\n`
      files.push([`${chart}/${folder}/${file}`, remark + (await read(`${folder}/${file}`)).replace(schemaRemark, '')])
    }
    const idle = copies.filter((file) => !sources.includes(file))
    files.push(...idle.map((file): File => [`${chart}/${folder}/${file}`, undefined]))
  }
  return files
}

const fromValues = async (): Promise<readonly File[]> => {
  const text = await read(`${chart}/values.yaml`)
  const values = parse(text) as { readonly [key: string]: Value }
  const remarks = remarksIn(text)
  const readme = await read(`${chart}/README.md`)
  const tables = `<!-- values -->\n\n${tablesOf(values, remarks)}\n\n<!-- end of values -->`
  return [
    [`${chart}/README.md`, readme.replace(/<!-- values -->.*<!-- end of values -->/s, () => tables)],
    [`${chart}/values.schema.json`, JSON.stringify(schemaOf(values, remarks))]
  ]
}

/** After the schema is as it should be, for Helm holds the values against it. */
const fromTemplates = async (): Promise<readonly File[]> => {
  if (hasHelm) return [['manifests/parcomolo.yaml', plainManifests(await helm('template', ...plain))]]
  console.error('manifests/parcomolo.yaml is left as it is: there is no helm in PATH')
  return []
}

/** A secret that everybody can read here would be none. */
const withoutSecret = ['--set', 'view.idSecret.generate=false']
const plain = ['parcomolo', chart, '--namespace', 'parcomolo', '--skip-tests', '--no-hooks', ...withoutSecret]

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '')

const style = JSON.parse(await read('.prettierrc.json')) as object
const isCheck = process.argv.includes('--check')

const bring = async ([path, text]: File): Promise<void> => {
  const formatted = text === undefined ? '' : await format(text, { ...style, filepath: path })
  if (text !== undefined && formatted === (await read(path))) return
  if (!isCheck) return text === undefined ? rm(join(root, path)) : writeFile(join(root, path), formatted)
  console.error(`${path} is not what its source says; expected no difference; run "npm run chart"`)
  process.exitCode = 1
}

for (const make of [fromSagas, fromValues, fromTemplates]) for (const file of await make()) await bring(file)
