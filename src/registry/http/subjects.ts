import { canonicalJson, isParcomoloError, ParcomoloError } from '../../base/index.ts'
import { type AvroSchema } from '../registry.ts'
import { type Connection } from './connection.ts'

export type Version = { readonly id: number; readonly version: number; readonly schema: AvroSchema }

/** What the registry's API can do, as far as it is needed here. */
export type Subjects = {
  /** Rejects where no registry answers. */
  readonly probe: () => Promise<void>
  latest(subject: string): Promise<Version | undefined>
  /** All up to this one, the latest, that are not deleted; oldest first. */
  versionsTo(subject: string, latest: Version): Promise<readonly Version[]>
  /** The id that the subject has for this schema, be it the latest or not. */
  idOf(subject: string, schema: AvroSchema): Promise<number | undefined>
  /** Why the registry, at the subject's level, would not take the schema as the next version. */
  objectionTo(subject: string, schema: AvroSchema): Promise<string | undefined>
  /** The id, or the status (409, 422) and reason with which the registry refuses. */
  add(subject: string, schema: AvroSchema): Promise<{ id: number } | Refusal>
  /** Sees to it that the subject's level is BACKWARD, or a stricter one that contains it. */
  keepBackward(subject: string): Promise<void>
  /** The schema with this id, or the words with which it is denied; undefined where the registry does not know it. */
  schema(id: number): Promise<{ readonly schema: AvroSchema } | { readonly denied: string } | undefined>
}

export type Refusal = { readonly status: number; readonly reason: string }

export const subjectsOf = ({ ask }: Connection): Subjects => {
  const version = async (subject: string, number: number | 'latest'): Promise<Version | undefined> => {
    const params = { subject, version: number }
    const found = await ask({ send: (api) => api.Subject.version, params, read: readVersion, refusals: notFound })
    return found && { id: found.id, version: found.version, schema: schemaIn(found, `subject '${subject}'`) }
  }
  const levelOf = (subject: string, defaultToGlobal: boolean): Promise<string | undefined> => {
    const request = { params: { subject, defaultToGlobal }, read: readLevel, refusals: notFound }
    return ask({ send: (api) => api.Subject.config, ...request })
  }
  /** Apicurio has no level, not even that for all, of a subject that is not there yet: that one is without a name. */
  const levelOfAll = async (): Promise<string | undefined> => {
    try {
      return await levelOf('', true)
    } catch (error) {
      if (isParcomoloError(error) && error.details['status'] === 404) return undefined
      throw error
    }
  }
  /** Its own level, or the one that holds for all: where that is stricter, an own one would lower it. */
  const isBackward = async (subject: string): Promise<boolean> =>
    isOneOf(await levelOf(subject, false), ['BACKWARD', ...stricterLevels]) ||
    isOneOf((await levelOf(subject, true)) ?? (await levelOfAll()), stricterLevels)
  return {
    // No subject begins with it, so a registry that knows prefixes has little to say.
    probe: async () =>
      void (await ask({ send: (api) => api.Subject.all, params: { subjectPrefix: 'parcomolo?' }, read: readList })),
    latest: (subject) => version(subject, 'latest'),
    versionsTo: async (subject, latest) => {
      const earlier = Array.from({ length: latest.version - 1 }, (_, i) => version(subject, i + 1))
      return [...(await Promise.all(earlier)), latest].filter((found) => found !== undefined)
    },
    idOf: (subject, schema) => {
      const params = { subject, body: bodyOf(schema) }
      return ask({ send: (api) => api.Subject.registered, params, read: readId, refusals: notFound })
    },
    objectionTo: async (subject, schema) => {
      const params = { subject, verbose: true, body: bodyOf(schema) }
      const refusals = { 404: (): Verdict => ({ reason: undefined }), 422: (reason: string): Verdict => ({ reason }) }
      return (await ask({ send: (api) => api.Subject.compatible, params, read: readVerdict, refusals })).reason
    },
    add: async (subject, schema) => {
      const refused = (status: number) => (reason: string) => ({ status, reason })
      const refusals = { 409: refused(409), 422: refused(422) }
      const params = { subject, body: bodyOf(schema) }
      const answer = await ask({ send: (api) => api.Subject.register, params, read: readId, refusals })
      return typeof answer === 'number' ? { id: answer } : answer
    },
    keepBackward: async (subject) => {
      if (await isBackward(subject)) return
      const params = { subject, body: { compatibility: 'BACKWARD' } }
      try {
        await ask({ send: (api) => api.Subject.updateConfig, params, read: (data) => isObject(data) || undefined })
      } catch (error) {
        // Apicurio answers 409 to all but one that set it at the same time, as instances do that start together.
        if (!(await isBackward(subject))) throw error
      }
    },
    schema: async (id) => {
      const refusals = { ...notFound, 403: (denied: string): { denied: string } => ({ denied }) }
      const found = await ask({ send: (api) => api.Schema.find, params: { id }, read: readSchema, refusals })
      return found === undefined || 'denied' in found ? found : { schema: schemaIn(found, `id '${id}'`) }
    }
  }
}

const stricterLevels = ['BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE']

const isOneOf = (level: string | undefined, levels: readonly string[]): boolean =>
  level !== undefined && levels.includes(level)

const notFound = { 404: (): undefined => undefined }

/** One text for one schema, so that a registry which compares texts gives one id. */
const bodyOf = (schema: AvroSchema): object => ({ schema: canonicalJson(schema) })

type SchemaText = { readonly schema: string; readonly schemaType?: unknown }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readList = (data: unknown): true | undefined => Array.isArray(data) || undefined

const isWhole = (value: unknown): value is number => Number.isInteger(value)

const readId = (data: unknown): number | undefined => (isObject(data) && isWhole(data['id']) ? data['id'] : undefined)

const readSchema = (data: unknown): SchemaText | undefined =>
  isObject(data) && typeof data['schema'] === 'string'
    ? { schema: data['schema'], schemaType: data['schemaType'] }
    : undefined

const readVersion = (data: unknown): (SchemaText & { id: number; version: number }) | undefined => {
  const [text, id] = [readSchema(data), readId(data)]
  const number = isObject(data) ? data['version'] : undefined
  return text && id !== undefined && isWhole(number) ? { ...text, id, version: number } : undefined
}

const readLevel = (data: unknown): string | undefined =>
  isObject(data) && typeof data['compatibilityLevel'] === 'string' ? data['compatibilityLevel'] : undefined

type Verdict = { readonly reason: string | undefined }

/** Some registries say why (`messages`), some do not. */
const readVerdict = (data: unknown): Verdict | undefined => {
  if (!isObject(data) || typeof data['is_compatible'] !== 'boolean') return undefined
  const messages: readonly unknown[] = Array.isArray(data['messages']) ? data['messages'] : []
  const said = messages.length === 0 ? 'the registry finds it incompatible' : messages.join(', ')
  return { reason: data['is_compatible'] ? undefined : said }
}

const schemaIn = ({ schema: text, schemaType = 'AVRO' }: SchemaText, where: string): AvroSchema => {
  const schema = schemaType === 'AVRO' ? parsed(text) : undefined
  if (isObject(schema)) return schema
  const problem = schemaType === 'AVRO' ? 'no record' : `no Avro but '${String(schemaType)}'`
  throw new ParcomoloError(
    'PARCOMOLO_REGISTRY_INVALID_SCHEMA',
    `the schema of ${where} is ${problem}; expected an Avro record, registered by a service of this system`
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
