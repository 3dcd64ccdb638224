import { type Contract } from './contract.ts'

/** A name that a participant has taken, though it is somebody else's. */
export type Taken = {
  /** Where it stands: `spec.inbox`. */
  readonly path: 'metadata.name' | 'spec.inbox' | 'spec.events' | 'spec.group' | 'spec.contract'
  /** `topic 'saga-events' belongs to the orchestrator, as its journal; expected …`. */
  readonly text: string
}

/** The names of a participant whose component the release has; its application says which these are. */
export type ReleaseService = { readonly name: string } & Pick<Contract, 'inbox' | 'events' | 'namespace'>

type Names = Pick<Contract, 'participant' | 'inbox' | 'events' | 'group' | 'namespace'>

/** Kafka names its metrics with `_` for `.`, and so takes two topics that differ in these alone for one. */
export const topicIdentity = (topic: string): string => topic.replaceAll('.', '_')

/**
 * Every name of a participant that is not free, because Parcomolo, its services, Kafka or the schema registry have it.
 * To write to such a topic ends whoever owns it, or makes the next start impossible; so nothing of it is published.
 */
export const takenNames = (names: Names, services: readonly ReleaseService[]): Taken[] => {
  const { participant, inbox, events, group, namespace } = names
  const own = services.find(({ name }) => name === participant)
  const owner = (topic: string): string | undefined => topicOwner(topic, participant, services)
  return [
    ...(own === undefined ? [] : identityProblems(names, own)),
    ...told('metadata.name', `name '${participant}'`, components.get(participant), 'another name'),
    ...told('spec.inbox', `topic '${inbox}'`, owner(inbox), 'a topic of its own'),
    ...told('spec.events', `topic '${events}'`, owner(events), 'a topic of its own'),
    ...told('spec.group', `group '${group}'`, groupOwner(group, services), 'the group of the participant itself'),
    ...told(
      'spec.contract',
      `namespace '${namespace}'`,
      namespaceOwner(namespace, participant, services),
      'one of its own'
    )
  ]
}

const told = (path: Taken['path'], what: string, owner: string | undefined, expected: string): Taken[] =>
  owner === undefined ? [] : [{ path, text: `${what} belongs to ${owner}; expected ${expected}` }]

/** What runs under these names is no participant. */
const components = new Map([
  ['orchestrator', 'the orchestrator, which sends the commands'],
  ['operator', 'the operator, which publishes sagas and participants'],
  ['view', 'the read model'],
  ['courier', 'the courier, which speaks HTTP for participants']
])

/** The services of the release run whatever a folder says: their names are theirs also where it says nothing. */
const identityProblems = (names: Names, own: ReleaseService): Taken[] => {
  const owner = `name '${names.participant}' belongs to the service of that name`
  const problem = (path: Taken['path'], what: string, found: string, expected: string): Taken[] =>
    found === expected
      ? []
      : [{ path, text: `${owner}, whose ${what} is '${expected}', not '${found}'; expected another name, or that` }]
  return [
    ...problem('spec.inbox', 'inbox', names.inbox, own.inbox),
    ...problem('spec.events', 'events topic', names.events, own.events),
    ...problem('spec.contract', 'namespace', names.namespace, own.namespace)
  ]
}

const ownTopics = new Map([
  ['saga-events', 'the orchestrator, as its journal'],
  ['saga-definitions', 'Parcomolo, for the sagas and participants that are published'],
  ['dead-letters', 'Parcomolo, for records that nobody can read'],
  ['http-calls', 'the courier, for what came of its calls'],
  ['flow', 'Parcomolo, for what all processes have to agree on'],
  ['_schemas', 'the schema registry']
])

const topicOwner = (topic: string, participant: string, services: readonly ReleaseService[]): string | undefined => {
  const identity = topicIdentity(topic)
  if (identity.startsWith('__')) return "Kafka itself, as all that begin with two of '_' or '.'"
  if (/-(snapshots|archive)$/.test(topic)) return 'the component that keeps its state there, as all that end so'
  if (topic.startsWith('orchestrator-')) return 'the orchestrator'
  if (topic.startsWith('courier-')) return 'the courier'
  const has = ({ inbox, events }: ReleaseService): boolean => [inbox, events].includes(topic)
  return ownTopics.get(identity) ?? ofService(participant, services, has)
}

/** The one that has it, unless that is the participant itself. */
const ofService = (
  participant: string,
  services: readonly ReleaseService[],
  has: (service: ReleaseService) => boolean
): string | undefined => {
  const owner = services.find((service) => service.name !== participant && has(service))
  return owner === undefined ? undefined : `the service '${owner.name}' of this release`
}

const groupOwner = (group: string | undefined, services: readonly ReleaseService[]): string | undefined => {
  if (group === undefined) return undefined
  // A prefix of the installation stands before it, as it does not before the group of a participant.
  const isOwn = [...services.map(({ name }) => name), 'orchestrator'].some((name) =>
    group.endsWith(`parcomolo-${name}`)
  )
  return isOwn || group.startsWith('parcomolo-') ? "Parcomolo, as all that begin with 'parcomolo-'" : undefined
}

const namespaceOwner = (
  namespace: string,
  participant: string,
  services: readonly ReleaseService[]
): string | undefined =>
  /^parcomolo\.(saga|orchestrator|definition|journal)(\.|$)/.test(namespace)
    ? "Parcomolo's own records"
    : ofService(participant, services, (service) => service.namespace === namespace)
