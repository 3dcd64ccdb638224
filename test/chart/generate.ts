/**
 * Writes what is made from the chart: its README's tables and its values.schema.json from values.yaml, and the plain
 * manifests from its templates (which needs `helm`). With --check it only tells what is not current.
 */
import { readFile, writeFile } from 'node:fs/promises'
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

type File = readonly [path: string, text: string]

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

const plain = ['parcomolo', chart, '--namespace', 'parcomolo', '--skip-tests', '--no-hooks']

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '')

const style = JSON.parse(await read('.prettierrc.json')) as object
const isCheck = process.argv.includes('--check')

const bring = async ([path, text]: File): Promise<void> => {
  const formatted = await format(text, { ...style, filepath: path })
  if (formatted === (await read(path))) return
  if (!isCheck) return writeFile(join(root, path), formatted)
  console.error(`${path} is not what its source says; expected no difference; run "npm run chart"`)
  process.exitCode = 1
}

for (const make of [fromValues, fromTemplates]) for (const file of await make()) await bring(file)
