import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Contracts, contractSet, readContract } from '../../../src/contract/index.ts'

export type Map = Record<string, unknown>

/** A resource as a file gives it, and what a saga is checked against. */
export type Document = { readonly path: string; readonly value: Map; readonly contracts: Contracts }

const yamlFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`)

const read = (path: string): Map => parse(readFileSync(path, 'utf8')) as Map

const contractsOf = (paths: readonly string[]): Contracts =>
  contractSet(paths.map((path) => readContract({ path, text: readFileSync(path, 'utf8') })))

const shop = yamlFiles('sagas/participants')
const travel = yamlFiles('test/saga/conformance/participants')
const foreign = readdirSync('test/foreign', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(`test/foreign/${entry.name}`).includes('saga.yaml'))
  .map(({ name }) => `test/foreign/${name}`)

/** All participants of the project and its tests. */
export const participants: readonly Map[] = [
  ...shop,
  ...travel,
  ...yamlFiles('test/bench/sagas/participants'),
  ...foreign.map((folder) => `${folder}/participant.yaml`)
].map(read)

const conformance = yamlFiles('test/saga/conformance').map((path, at): Document => {
  const head = { apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', metadata: { name: `conformance-${at}` } }
  return { path, value: { ...head, spec: read(path)['saga'] }, contracts: contractsOf(travel) }
})

/** All sagas of the project and its tests. */
export const sagas: readonly Document[] = [
  ...[...yamlFiles('sagas'), ...yamlFiles('test/bench/sagas')].map((path) => ({
    path,
    value: read(path),
    contracts: contractsOf(shop)
  })),
  ...foreign.map((folder) => ({
    path: `${folder}/saga.yaml`,
    value: read(`${folder}/saga.yaml`),
    contracts: contractsOf([...shop, `${folder}/participant.yaml`])
  })),
  ...conformance
]
