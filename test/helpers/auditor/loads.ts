import { type AuditEvent, at, type AuditRecord, type Journals } from './events.ts'

/** A record of a participant's journal that tells whoever reads it that of a load something was read. */
export type Sign = {
  readonly at: number
  /** `<topic>/<partition>` of that journal, and where in it. */
  readonly place: string
  readonly offset: number
  /** All below this sequence was read; undefined for an answer, which tells only that its command was. */
  readonly to: number | undefined
}

/** What each partition of `saga-events` has sent to each partition of an inbox: a load. */
export class Loads {
  /** By where the event stands that has sent it. */
  readonly #ofCommand = new Map<string, string>()
  readonly #signs = new Map<string, Sign[]>()

  constructor(journals: Journals) {
    const ofId = new Map<string, string>()
    for (const command of journals.records) if (command.topic.endsWith('-commands')) this.#sent(command, ofId)
    for (const record of journals.records)
      if (record.topic.endsWith('-events') && record.topic !== 'saga-events') this.#told(record, ofId)
  }

  /** Undefined where its command has not arrived anywhere. */
  of(issued: AuditEvent): string | undefined {
    return this.#ofCommand.get(at(issued))
  }

  signs(load: string): readonly Sign[] {
    return this.#signs.get(load) ?? []
  }

  get all(): Iterable<readonly [load: string, signs: readonly Sign[]]> {
    return this.#signs
  }

  #sent({ topic, partition, headers }: AuditRecord, ofId: Map<string, string>): void {
    const { ce_source: source = '', ce_sequence: sequence, ce_id: id = '' } = headers
    if (!source.startsWith('/saga-events/')) return
    const load = `${source.slice(1)}@${topic}/${partition}`
    this.#ofCommand.set(`${source.slice(1)}/${sequence}`, load)
    ofId.set(id, load)
  }

  #told(record: AuditRecord, ofId: ReadonlyMap<string, string>): void {
    for (const [load, to] of readingsIn(record)) this.#add(load, record, to)
    const answered = ofId.get(record.headers['ce_causationid'] ?? '')
    if (answered !== undefined) this.#add(answered, record, undefined)
  }

  #add(load: string, { topic, partition, offset, timestamp }: AuditRecord, to: number | undefined): void {
    const signs = this.#signs.get(load) ?? []
    this.#signs.set(load, signs)
    signs.push({ at: timestamp, place: `${topic}/${partition}`, offset, to })
  }
}

const readingsIn = ({ headers }: AuditRecord): [load: string, to: number][] =>
  positionsIn(headers).flatMap(([name, to]) => (name.startsWith('from:saga-events/') ? [[name.slice(5), to]] : []))

export const positionsIn = (headers: Readonly<Record<string, string>>, name = 'positions'): [string, number][] =>
  Object.entries(JSON.parse(headers[`parcomolo-${name}`] ?? '{}') as Record<string, number>)
