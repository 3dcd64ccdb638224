import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ParcomoloError, sha256Hex } from '../../base/index.ts'
import { type AvroSchema } from '../registry.ts'

/**
 * What the registry knows. A schema's id is its place in the list, counted from 1; a subject's versions are ids, oldest
 * first.
 */
export type Catalogue = { readonly schemas: AvroSchema[]; readonly subjects: Map<string, readonly number[]> }

const fileName = 'schemas.json'
const formatVersion = 1

/** The catalogue of the data folder; empty where there is no file yet. */
export const loadCatalogue = async (dir: string): Promise<Catalogue> => {
  const path = join(dir, fileName)
  const text = await readText(path)
  if (text === undefined) return { schemas: [], subjects: new Map() }
  const found = parsed(path, text)
  if (!isStored(found)) throw broken(path, `it is no catalogue of format ${formatVersion}`)
  // Files of earlier releases have none.
  if (found.sha256 !== undefined && found.sha256 !== hashOf(found)) throw broken(path, 'it is not as it was written')
  return { schemas: [...found.schemas], subjects: new Map(Object.entries(found.subjects)) }
}

/** Replaces the file as a whole: after a crash there is the old one or the new one. */
export const storeCatalogue = async (dir: string, { schemas, subjects }: Catalogue): Promise<void> => {
  const path = join(dir, fileName)
  const known = { schemas, subjects: Object.fromEntries(subjects) }
  const text = JSON.stringify({ format: formatVersion, sha256: hashOf(known), ...known }, undefined, 1)
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeDurably(`${path}.new`, text)
    await rename(`${path}.new`, path)
    await syncFolder(dir)
  } catch (error) {
    throw unavailable(path, 'written', error)
  }
}

type Stored = {
  readonly format: number
  readonly sha256?: string
  readonly schemas: AvroSchema[]
  readonly subjects: Readonly<Record<string, readonly number[]>>
}

const hashOf = ({ schemas, subjects }: Pick<Stored, 'schemas' | 'subjects'>): string =>
  sha256Hex(JSON.stringify({ schemas, subjects }))

const isStored = (value: unknown): value is Stored => {
  if (!isObject(value) || value['format'] !== formatVersion) return false
  const { schemas, subjects } = value
  if (!Array.isArray(schemas) || !schemas.every(isObject) || !isObject(subjects)) return false
  const isId = (id: unknown): boolean => Number.isInteger(id) && Number(id) >= 1 && Number(id) <= schemas.length
  return Object.values(subjects).every((versions) => Array.isArray(versions) && versions.every(isId))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return undefined
    throw unavailable(path, 'read', error)
  }
}

const parsed = (path: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw broken(path, 'it is no JSON', error)
  }
}

const writeDurably = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The new name is on the disk only when its folder is. */
const syncFolder = async (dir: string): Promise<void> => {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const broken = (path: string, problem: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_BROKEN',
    `schema catalogue '${path}' is broken: ${problem}; take a backup back with 'parcomolo restore'`,
    { details: { path }, cause }
  )

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const unavailable = (path: string, what: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_UNAVAILABLE',
    `schema catalogue '${path}' cannot be ${what} (${reasonOf(cause)}); expected room and the right to write`,
    { retryable: true, details: { path }, cause }
  )
