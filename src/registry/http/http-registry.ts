import { canonicalJson, type Clock, insist, type Insistence, ParcomoloError, systemClock } from '../../base/index.ts'
import { checkCompatible, incompatible, invalidSchema } from '../compatibility.ts'
import { deniedAtOnce } from '../denied.ts'
import { type AvroSchema, type Registry } from '../registry.ts'
import { addressOf, type Credentials } from './address.ts'
import { connect } from './connection.ts'
import { type RecentSubjects, withRecentLatest } from './recent.ts'
import { type Subjects, subjectsOf, type Version } from './subjects.ts'

export type HttpRegistryOptions = Omit<Insistence, 'clock'> & {
  /** Of the API, with its base path; `user:password@` in it counts where `auth` is not given. */
  readonly url: string
  readonly auth?: Credentials | undefined
  /** How long one request may take, from when it is sent; 5 s unless told. */
  readonly requestTimeoutMs?: number | undefined
  readonly clock?: Clock | undefined
}

/**
 * A registry with the API of Confluent's, at a URL. Resolves when it answers, and waits for that until `signal` is
 * aborted; rejects at once with PARCOMOLO_REGISTRY_UNAVAILABLE, not retryable, where it refuses the credentials.
 * Every call rejects with the same code, retryable, while the registry does not answer, or denies what it granted.
 */
export const openHttpRegistry = async (options: HttpRegistryOptions): Promise<Registry> => {
  const { url, auth, signal, onWaiting, requestTimeoutMs = 5000, clock = systemClock } = options
  signal?.throwIfAborted()
  const connection = connect(addressOf(url, auth), requestTimeoutMs)
  const subjects = subjectsOf(connection)
  signal?.addEventListener('abort', connection.close)
  try {
    await insist(() => deniedAtOnce(subjects.probe), { signal, onWaiting, clock })
    signal?.throwIfAborted()
  } catch (error) {
    connection.close()
    throw error
  } finally {
    signal?.removeEventListener('abort', connection.close)
  }
  return registryOn(subjects, connection.close, clock)
}

/**
 * The port on the registry's API.
 *
 * H1. A schema is written only after it was found compatible: by avsc, which reads the records and so judges as the
 *     embedded adapter does, and by the registry, whose subject may have a stricter level. The level is set first.
 * H2. What the registry has said once of a schema and its id holds for ever; it is asked once. A failure is forgotten.
 * H3. A start checks, registers and asks for the versions of dozens of subjects, beside other processes that do so too.
 *     The latest version of a subject is asked once for all three.
 */
const registryOn = (asked: Subjects, close: () => void, clock: Clock): Registry => {
  const subjects = withRecentLatest(asked, clock)
  const [ids, schemas, levels] = [memoryOf<number>(), memoryOf<AvroSchema>(), memoryOf<void>()]
  const register = async (subject: string, schema: AvroSchema): Promise<number> => {
    const known = await registeredId(subjects, subject, schema)
    await levels(subject, () => subjects.keepBackward(subject))
    return known ?? add(subjects, subject, schema)
  }
  return {
    check: async (subject, schema) => void (await registeredId(subjects, subject, schema)),
    register: (subject, schema) => ids(canonicalJson([subject, schema]), () => register(subject, schema)),
    versions: async (subject) => (await versionsOf(subjects, subject)).map(({ id, schema }) => ({ id, schema })),
    schema: (id) => schemas(id, () => schemaOf(subjects, id)),
    close: async () => close()
  }
}

const versionsOf = async (subjects: Subjects, subject: string): Promise<readonly Version[]> => {
  const latest = await subjects.latest(subject)
  return latest === undefined ? [] : subjects.versionsTo(subject, latest)
}

/** The id that the subject has for the schema; undefined where it is new and fits. */
const registeredId = async (subjects: Subjects, subject: string, schema: AvroSchema): Promise<number | undefined> => {
  checkCompatible(subject, schema, undefined)
  const latest = await subjects.latest(subject)
  if (latest === undefined) return undefined
  if (canonicalJson(latest.schema) === canonicalJson(schema)) return latest.id
  const id = await subjects.idOf(subject, schema)
  if (id !== undefined) return id
  checkCompatible(subject, schema, latest.schema)
  const objection = await subjects.objectionTo(subject, schema)
  if (objection === undefined) return undefined
  throw incompatible(subject, objection)
}

const add = async (subjects: RecentSubjects, subject: string, schema: AvroSchema): Promise<number> => {
  const answer = await subjects.add(subject, schema)
  if ('id' in answer) return answer.id
  if (/read-?only/i.test(answer.reason)) throw readOnly(subject, answer.reason)
  if (answer.status === 422) throw invalidSchema(subject, answer.reason)
  // Another process may have been faster, with the same schema or with one that this does not fit on.
  subjects.forget(subject)
  const id = await registeredId(subjects, subject, schema)
  if (id !== undefined) return id
  throw incompatible(subject, answer.reason)
}

const readOnly = (subject: string, reason: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_UNAVAILABLE',
    `the schema registry takes nothing new under subject '${subject}': ${reason}; expected the mode READWRITE`,
    { retryable: true, details: { subject } }
  )

const idMax = 2 ** 32 - 1

const schemaOf = async (subjects: Subjects, id: number): Promise<AvroSchema> => {
  const isId = Number.isInteger(id) && id >= 1 && id <= idMax
  const answer = isId ? await subjects.schema(id) : undefined
  if (answer !== undefined && 'schema' in answer) return answer.schema
  // A gateway that has lost the registry may say 404 too, and 403 whoever has lost all rights. Records are given up for
  // an unknown id, so it has to be true, and of this id alone.
  if (isId) await subjects.probe()
  const unknown =
    answer === undefined
      ? `unknown schema id '${id}'; expected one that this registry has given`
      : `unknown schema id '${id}', for this user (${answer.denied}); expected one that this registry lets it read`
  throw new ParcomoloError('PARCOMOLO_REGISTRY_UNKNOWN_ID', unknown, { details: { id } })
}

/** Calls once a key, for all who ask; what failed is called again for the next who asks. */
const memoryOf = <V>(): ((key: string | number, call: () => Promise<V>) => Promise<V>) => {
  const results = new Map<string | number, Promise<V>>()
  return (key, call) => {
    const known = results.get(key)
    if (known !== undefined) return known
    const result = call()
    results.set(key, result)
    result.catch(() => results.delete(key))
    return result
  }
}
