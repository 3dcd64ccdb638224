import { canonicalJson, ParcomoloError } from '../../src/base/index.ts'
import { checkCompatible } from '../../src/registry/compatibility.ts'
import type { AvroSchema, Registry } from '../../src/registry/index.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The schema registry of a simulation: it outlives all processes, and may be away for a while. */
export class SimulatedRegistry {
  readonly schemas: Map<number, AvroSchema>
  isAway = false
  readonly #time: VirtualTime
  readonly #ids: Map<string, number>
  readonly #subjects = new Map<string, number[]>()

  /** `known`: schemas that have their ids already, under no subject yet. */
  constructor(time: VirtualTime, known: ReadonlyMap<number, object>) {
    this.#time = time
    this.schemas = new Map([...known].map(([id, schema]) => [id, schema as AvroSchema]))
    this.#ids = new Map([...this.schemas].map(([id, schema]) => [canonicalJson(schema), id]))
  }

  /** As one process has it, whose questions end with it. */
  of(process: SimulatedProcess): Registry {
    const ask = async <T>(serve: () => T): Promise<T> => {
      await process.wait(this.#time.between(0.1, 20))
      if (this.isAway) throw away()
      return serve()
    }
    return {
      check: (subject, schema) => ask(() => void this.#registered(subject, schema)),
      register: (subject, schema) => ask(() => this.#registered(subject, schema) ?? this.#add(subject, schema)),
      versions: (subject) => ask(() => this.#versions(subject).map((id) => ({ id, schema: this.#schema(id) }))),
      schema: (id) => ask(() => this.#schema(id)),
      close: async () => undefined
    }
  }

  #versions(subject: string): number[] {
    return this.#subjects.get(subject) ?? []
  }

  #schema(id: number): AvroSchema {
    const schema = this.schemas.get(id)
    if (schema === undefined) throw new ParcomoloError('PARCOMOLO_REGISTRY_UNKNOWN_ID', `unknown schema id '${id}'`)
    return schema
  }

  #registered(subject: string, schema: AvroSchema): number | undefined {
    const versions = this.#versions(subject)
    const id = this.#ids.get(canonicalJson(schema))
    if (id !== undefined && versions.includes(id)) return id
    const latest = versions.at(-1)
    checkCompatible(subject, schema, latest === undefined ? undefined : this.#schema(latest))
    return undefined
  }

  #add(subject: string, schema: AvroSchema): number {
    const text = canonicalJson(schema)
    const id = this.#ids.get(text) ?? this.schemas.size + 1
    this.#ids.set(text, id)
    this.schemas.set(id, schema)
    this.#subjects.set(subject, [...this.#versions(subject), id])
    return id
  }
}

const away = (): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'the registry is away', { retryable: true })
