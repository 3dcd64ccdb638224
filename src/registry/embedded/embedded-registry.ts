import { canonicalJson, ParcomoloError } from '../../base/index.ts'
import { type AvroSchema, type Registry } from '../registry.ts'
import { type Catalogue, loadCatalogue, storeCatalogue } from './catalogue-file.ts'
import { checkCompatible } from './compatibility.ts'

/**
 * The registry of a process by itself: a small file in the data folder, read once, written whole when something is new.
 *
 * R1. Equal schemas (as JSON, whatever the order of members) have one id, in whatever subjects they stand; no id is
 *     given twice.
 * R2. An id is handed out only when it is on the disk.
 * R3. Registrations that come while the file is being written share the next write.
 */
export const openEmbeddedRegistry = async (dir: string): Promise<Registry> => {
  const catalogue = await loadCatalogue(dir)
  const idByText = new Map(catalogue.schemas.map((schema, i) => [canonicalJson(schema), i + 1]))
  const store = sharedStore(() => storeCatalogue(dir, catalogue))
  return {
    register: async (subject, schema) => {
      const versions = catalogue.subjects.get(subject) ?? []
      const text = canonicalJson(schema)
      let id = idByText.get(text)
      if (id === undefined || !versions.includes(id)) {
        checkCompatible(subject, schema, schemaOf(catalogue, versions.at(-1)))
        id ??= catalogue.schemas.push(schema)
        idByText.set(text, id)
        catalogue.subjects.set(subject, [...versions, id])
        store.changed()
      }
      await store.stored()
      return id
    },
    versions: async (subject) =>
      (catalogue.subjects.get(subject) ?? []).map((id) => ({ id, schema: catalogue.schemas[id - 1]! })),
    schema: async (id) => {
      const schema = schemaOf(catalogue, id)
      if (schema !== undefined) return schema
      const message = `unknown schema id '${id}'; expected one from 1 to ${catalogue.schemas.length}`
      throw new ParcomoloError('PARCOMOLO_REGISTRY_UNKNOWN_ID', message, { details: { id } })
    },
    close: () => store.settled()
  }
}

const schemaOf = (catalogue: Catalogue, id: number | undefined): AvroSchema | undefined =>
  id === undefined ? undefined : catalogue.schemas[id - 1]

type Store = { changed(): void; stored(): Promise<void>; settled(): Promise<void> }

/**
 * One write at a time; each covers all that was changed before it began. What failed is tried again when somebody next
 * asks for it.
 */
const sharedStore = (write: () => Promise<void>): Store => {
  let changes = 0
  let changesStored = 0
  let current: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const writeNext = async (before: Promise<void>): Promise<void> => {
    await before.catch(() => undefined)
    current = next!
    next = undefined
    const covered = changes
    await write()
    changesStored = covered
  }
  return {
    changed: () => void changes++,
    stored: async () => {
      if (changesStored === changes) return
      next ??= writeNext(current)
      await next
    },
    settled: () => (next ?? current).catch(() => undefined)
  }
}
