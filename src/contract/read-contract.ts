import { type Node, type Scalar } from 'yaml'
import { type Contract } from './contract.ts'
import { readHttp } from './read-http.ts'
import { limits } from './limits.ts'
import { type Protocol, readProtocol } from './protocol.ts'
import { type ReleaseService, type Taken, takenNames, topicIdentity } from './reserved.ts'
import { openYaml, type SourceFile, type YamlFile } from './yaml-file.ts'

export const apiVersion = 'parcomolo.io/v1alpha1'

/** What the names of participants and, by Kafka's rule, of topics look like. */
export const participantPattern = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/
export const topicPattern = /^(\.{0,2}[a-zA-Z0-9_-]|\.{3})[a-zA-Z0-9._-]*$/
export const topicCharsMax = 249
/** Kafka takes any text for a consumer group's name; what nobody can see in it is a mistake. */
export const groupPattern = /^[!-~]+$/
export const groupCharsMax = 255

const readAnew = (file: SourceFile, services: readonly ReleaseService[]): Contract => {
  const yaml = openYaml(file)
  const read = yaml.root === null ? reportEmpty(yaml) : readParticipant(yaml, yaml.root)
  yaml.finish()
  const { contract, places } = read!
  for (const { path, text } of takenNames(contract, services)) yaml.report(places[path] ?? 0, path, text)
  yaml.finish('PARCOMOLO_CONTRACT_CONFLICT')
  return contract
}

type Outcome = { readonly contract: Contract } | { readonly error: unknown }

/** Characters of files whose outcome is kept: those of hundreds of participants. */
const keptCharsMax = 4_000_000
const kept = new Map<string, Outcome>()
let keptChars = 0

/**
 * Reads a participant's YAML; the same text again gives the same contract, which has been compiled once. Throws
 * PARCOMOLO_CONTRACT_INVALID with every problem that was found, each with its place in the file;
 * PARCOMOLO_CONTRACT_CONFLICT where all is sound but a name is not free: it is Parcomolo's own, or that of one of these
 * services of the release.
 */
export const readContract = (file: SourceFile, services: readonly ReleaseService[] = none): Contract => {
  const key = `${services.map(({ name }) => name).join()}\n${file.path}\n${file.text}`
  const outcome = kept.get(key) ?? keep(key, outcomeOf(file, services))
  if ('error' in outcome) throw outcome.error
  return outcome.contract
}

const none: readonly never[] = []

const outcomeOf = (file: SourceFile, services: readonly ReleaseService[]): Outcome => {
  try {
    return { contract: readAnew(file, services) }
  } catch (error) {
    return { error }
  }
}

const keep = (key: string, outcome: Outcome): Outcome => {
  kept.set(key, outcome)
  keptChars += key.length
  for (const oldest of kept.keys()) {
    if (keptChars <= keptCharsMax) break
    kept.delete(oldest)
    keptChars -= oldest.length
  }
  return outcome
}

/** A contract, and where in the file its names stand. */
type Read = { readonly contract: Contract; readonly places: Readonly<Record<Taken['path'], Node | null | undefined>> }

const reportEmpty = (yaml: YamlFile): undefined =>
  yaml.report(0, '', 'the file is empty; expected a Participant') as undefined

const readParticipant = (yaml: YamlFile, root: Node): Read | undefined => {
  const top = yaml.fields(root, '', { required: ['apiVersion', 'kind', 'metadata', 'spec'], optional: ['status'] })
  expectText(yaml, top.get('apiVersion'), 'apiVersion', apiVersion)
  expectText(yaml, top.get('kind'), 'kind', 'Participant')
  const participant = readName(yaml, top.get('metadata'))
  const spec = top.get('spec')
  if (spec === undefined) return undefined
  const fields = yaml.fields(spec, 'spec', { required: ['inbox', 'events', 'contract'], optional: ['group', 'http'] })
  const inbox = readTopic(yaml, fields.get('inbox'), 'spec.inbox')
  const events = readTopic(yaml, fields.get('events'), 'spec.events')
  reportOneTopic(yaml, fields.get('events')!, inbox, events)
  const group = readGroup(yaml, fields.get('group'))
  const http = readHttp(yaml, fields.get('http'))
  if (http !== undefined && group !== undefined)
    yaml.report(
      fields.get('group')!,
      'spec.group',
      "it has 'http' too, and so the courier reads its inbox; leave one out"
    )
  const protocol = readIdl(yaml, yaml.text(fields.get('contract'), 'spec.contract'))
  if (participant === undefined || inbox === undefined || events === undefined || protocol === undefined)
    return undefined
  return {
    contract: {
      ...{ participant, inbox, events },
      ...(group === undefined ? {} : { group }),
      ...(http === undefined ? {} : { http }),
      ...protocol
    },
    places: {
      'metadata.name': top.get('metadata'),
      'spec.inbox': fields.get('inbox'),
      'spec.events': fields.get('events'),
      'spec.group': fields.get('group'),
      'spec.contract': fields.get('contract')
    }
  }
}

const reportOneTopic = (yaml: YamlFile, node: Node, inbox: string | undefined, events: string | undefined): void => {
  if (inbox === undefined || events === undefined || topicIdentity(inbox) !== topicIdentity(events)) return
  const same = inbox === events ? 'is the inbox too' : `is '${inbox}' to Kafka, the inbox`
  yaml.report(node, 'spec.events', `'${events}' ${same}; expected a topic of its own`)
}

const expectText = (yaml: YamlFile, node: Node | null | undefined, path: string, expected: string): void => {
  const text = yaml.text(node, path)
  if (text !== undefined && text.value !== expected) {
    yaml.report(text, path, `found '${text.value}'; expected '${expected}'`)
  }
}

/** The fields of Kubernetes' object metadata, so that the same text serves as file and as resource. */
const metadataFields = [
  'namespace',
  'labels',
  'annotations',
  'generateName',
  'generation',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'selfLink'
]

const readName = (yaml: YamlFile, metadata: Node | null | undefined): string | undefined => {
  if (metadata === undefined) return undefined
  const name = yaml.text(
    yaml.fields(metadata, 'metadata', { required: ['name'], optional: metadataFields }).get('name'),
    'metadata.name'
  )
  if (name === undefined || participantPattern.test(name.value)) return name?.value
  yaml.report(
    name,
    'metadata.name',
    `name '${name.value}' is refused; expected at most 63 small letters, digits and '-', a letter first`
  )
  return undefined
}

const readTopic = (yaml: YamlFile, node: Node | null | undefined, path: string): string | undefined => {
  const topic = yaml.text(node, path)
  if (topic === undefined) return undefined
  const { value } = topic
  if (value.length <= topicCharsMax && topicPattern.test(value)) return value
  const isDots = value === '.' || value === '..'
  const expected = isDots
    ? "Kafka has no topic of that name; expected letters or digits in it, such as 'billing-events'"
    : `expected at most ${topicCharsMax} letters, digits, '.', '_' and '-'`
  yaml.report(topic, path, `topic '${value}' is refused; ${expected}`)
  return undefined
}

const readGroup = (yaml: YamlFile, node: Node | null | undefined): string | undefined => {
  const group = yaml.text(node, 'spec.group')
  if (group === undefined) return undefined
  if (group.value.length <= groupCharsMax && groupPattern.test(group.value)) return group.value
  const expected = `expected at most ${groupCharsMax} visible ASCII characters, without a blank`
  yaml.report(group, 'spec.group', `group '${group.value}' is refused; ${expected}`)
  return undefined
}

const readIdl = (yaml: YamlFile, contract: Scalar<string> | undefined): Protocol | undefined => {
  if (contract === undefined) return undefined
  if (contract.value.length > limits.contractCharsMax) {
    const text = `the contract has ${contract.value.length} characters; expected at most ${limits.contractCharsMax}`
    yaml.report(contract, 'spec.contract', text)
    return undefined
  }
  const read = readProtocol(contract.value)
  if ('protocol' in read) return read.protocol
  for (const { at, text } of read.problems) yaml.report(yaml.offsetIn(contract, at), 'spec.contract', text)
  return undefined
}
