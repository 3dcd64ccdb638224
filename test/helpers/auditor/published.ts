import { hasCommandsOf, sagaNameOf, type SagaVersion } from './beside.ts'
import { type AuditEvent, type Journals, type Violation, violation } from './events.ts'
import { instancesOf } from './sagas.ts'

const rule = '4 contracts'

/**
 * DESIGN §4: contracts change while sagas run. Of what was published all is given, in its order: nothing is cleaned up.
 *
 * P1. An instance stands still for want of its contract only where one was published that lacks a command of its
 *     revision; else it runs on with the contract that it was published with.
 * P2. It goes on when that is there again.
 * P3. A contract is published only where it has what the sagas need that are in force.
 * P4. What the registry refuses, or nobody can read, is never published; and the registry refuses nothing else: what
 *     was refused changes nothing of what it judges by.
 * P5. What stands in the folder is in force in the end, but for what has come late: of a process that has died a
 *     publication may still be on its way, and is the last one then (L2 of the log's port).
 */
export const auditPublished = (journals: Journals, beside: Edited, isQuiet: boolean): Violation[] => {
  const published = journals.events('saga-definitions')
  return [
    ...auditStandStill(journals, published, isQuiet),
    ...auditTaken(published, beside.versions),
    ...auditRefused(published, beside),
    ...(isQuiet ? auditFolder(published, beside) : [])
  ]
}

/** What people have saved, and what has become of it. */
export type Edited = {
  readonly versions: readonly SagaVersion[]
  /** Contracts that nobody may ever take. */
  readonly impossible: readonly string[]
  /** Contracts that a registry has refused. */
  readonly incompatible: readonly string[]
  /** The texts of all files, in the end. */
  readonly folder: readonly string[]
  /** The offsets of what was published long before it arrived. */
  readonly late: ReadonlySet<number>
}

const auditRefused = (published: readonly AuditEvent[], { impossible, incompatible }: Edited): Violation[] => [
  ...published
    .filter((event) => impossible.includes(textOf(event)))
    .map((event) => violation(rule, 'a contract is published that was to be refused', event)),
  ...incompatible
    .filter((text) => !impossible.includes(text))
    .map((text) => violation(rule, `the registry has refused what fits all that was in force: ${text}`))
]

const auditFolder = (published: readonly AuditEvent[], { folder, late }: Edited): Violation[] => {
  const newest = new Map(published.map((event) => [`${event.type} ${sagaNameOf(textOf(event))}`, event]))
  return [...newest].flatMap(([what, event]) =>
    folder.includes(textOf(event)) || late.has(event.offset)
      ? []
      : [violation(rule, `${what} is not as it stands in the folder`, event)]
  )
}

const isContract = ({ type }: AuditEvent): boolean => type === 'ParticipantPublished'

const textOf = ({ value }: AuditEvent): string => String(value['yaml'])

const auditStandStill = (journals: Journals, published: readonly AuditEvent[], isQuiet: boolean): Violation[] => {
  const contracts = published.filter(isContract)
  const texts = new Map(
    published
      .filter((event) => !isContract(event))
      .map((event) => [`${String(event.value['saga'])}@${String(event.value['revision'])}`, textOf(event)])
  )
  return [...instancesOf(journals)].flatMap(([id, events]) => {
    const revision = events.find(({ type }) => type === 'SagaStarted')?.value['revision']
    const text = texts.get(`${id.slice(0, id.indexOf('/'))}@${String(revision)}`) ?? ''
    const parks = events.filter(({ type, value }) => type === 'SagaParked' && value['step'] === '')
    const resumes = events.filter(({ type, value }) => type === 'SagaResumed' && value['step'] === '')
    const wrong = parks.filter(
      ({ timestamp }) => !contracts.some((it) => it.timestamp <= timestamp && !hasCommandsOf(textOf(it), text))
    )
    const say = `saga '${id}' stands still`
    return [
      ...wrong.map((park) => violation(rule, `${say}, though no contract has lacked what it names`, park)),
      ...(isQuiet && parks.length > resumes.length
        ? [violation(rule, `${say}, though all that it names is there again`, parks.at(-1)!)]
        : [])
    ]
  })
}

/** Who judges a contract may not know of a saga that is published at the same time. */
const sameTimeMs = 10_000

const auditTaken = (published: readonly AuditEvent[], versions: readonly SagaVersion[]): Violation[] => {
  const inForce = new Map<string, AuditEvent>()
  return published.flatMap((event, i) => {
    if (!isContract(event)) {
      inForce.set(sagaNameOf(textOf(event)), event)
      return []
    }
    const replaced = new Set(togetherWith(published, i).map((saga) => sagaNameOf(textOf(saga))))
    const robbed = [...inForce].flatMap(([name, saga]) => {
      const needs = versions.find(({ text }) => text === textOf(saga))?.needs ?? []
      const isOlder = saga.timestamp < event.timestamp - sameTimeMs
      const isInForce = isOlder && saga.value['retired'] !== true && !replaced.has(name)
      return isInForce && !needs.every((need) => need.test(textOf(event))) ? [saga] : []
    })
    return robbed.map((saga) =>
      violation(rule, 'a contract is published without what a saga in force needs', event, saga)
    )
  })
}

/** The sagas that come into force with a contract: those of its batch. */
const togetherWith = (published: readonly AuditEvent[], i: number): readonly AuditEvent[] => {
  const { timestamp } = published[i]!
  const end = published.findIndex((event, j) => j > i && event.timestamp !== timestamp)
  return published.slice(i, end < 0 ? undefined : end).filter((event) => !isContract(event))
}
