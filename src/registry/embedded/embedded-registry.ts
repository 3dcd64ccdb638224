import { canonicalJson, ParcomoloError } from '../../base/index.ts'
import { checkCompatible } from '../compatibility.ts'
import { type AvroSchema, type Registry } from '../registry.ts'
import { type Catalogue, loadCatalogue, storeCatalogue } from './catalogue-file.ts'

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
  const versionsOf = (subject: string): readonly number[] => catalogue.subjects.get(subject) ?? []
  const registeredId = (subject: string, schema: AvroSchema): number | undefined => {
    const id = idByText.get(canonicalJson(schema))
    if (id !== undefined && versionsOf(subject).includes(id)) return id
    checkCompatible(subject, schema, schemaOf(catalogue, versionsOf(subject).at(-1)))
    return undefined
  }
  const add = (subject: string, schema: AvroSchema): number => {
    const text = canonicalJson(schema)
    const id = idByText.get(text) ?? catalogue.schemas.push(schema)
    idByText.set(text, id)
    catalogue.subjects.set(subject, [...versionsOf(subject), id])
    store.changed()
    return id
  }
  return {
    check: async (subject, schema) => void registeredId(subject, schema),
    register: async (subject, schema) => {
      const id = registeredId(subject, schema) ?? add(subject, schema)
      await store.stored()
      return id
    },
    versions: async (subject) => versionsOf(subject).map((id) => ({ id, schema: catalogue.schemas[id - 1]! })),
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
