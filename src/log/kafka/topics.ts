import { ParcomoloError } from '../../base/index.ts'
import type { TopicSpec } from '../log.ts'
import { brokerError, codeOf, passes, reasonOf } from './broker-errors.ts'
import type { Admin } from './kafkajs.ts'
import { batchBytesMax } from './partition-writer.ts'

export type TopicRules = {
  /** Of new topics; if undefined 3, or as many brokers as there are. */
  readonly replicationFactor: number | undefined
  readonly creates: boolean
}

/** What is named by a spec, with its name in the cluster. */
export type NamedSpec = TopicSpec & { readonly name: string }

/** Brings the topics into being that are missing, and checks the others. Throws before anything is made. */
export const ensureTopics = async (admin: Admin, specs: readonly NamedSpec[], rules: TopicRules): Promise<void> => {
  const existing = new Set(await admin.listTopics())
  const present = specs.filter(({ name }) => existing.has(name))
  const missing = specs.filter(({ name }) => !existing.has(name))
  await check(admin, present)
  if (missing.length === 0) return
  const { brokers } = await admin.describeCluster()
  const making = { replicas: rules.replicationFactor ?? Math.min(3, brokers.length), server: serverOf(brokers) }
  if (!rules.creates) throw missingTopics(missing, making, 'KAFKA_CREATE_TOPICS forbids to make them')
  await create(admin, missing, making)
}

type Making = { readonly replicas: number; readonly server: string }

/** As Kafka's command-line tools want to be told, so that the commands in messages can be run as they are. */
const serverOf = ([broker]: readonly { readonly host: string; readonly port: number }[]): string =>
  `--bootstrap-server ${broker?.host}:${broker?.port}`

/** What a topic must be set to for the guarantees to hold. */
const configOf = ({ cleanup, retention }: TopicSpec, replicas: number): Record<string, string> => ({
  'cleanup.policy': cleanup,
  'min.insync.replicas': String(Math.max(1, replicas - 1)),
  'max.message.bytes': String(batchBytesMax),
  // So that the broker unpacks once what each of many readers would have to.
  'compression.type': 'uncompressed',
  'message.timestamp.type': 'CreateTime',
  ...(retention === 'forever' ? { 'retention.ms': '-1', 'retention.bytes': '-1' } : {})
})

const create = async (admin: Admin, specs: readonly NamedSpec[], making: Making): Promise<void> => {
  const { replicas } = making
  const topics = specs.map((spec) => ({
    topic: spec.name,
    numPartitions: spec.partitions,
    replicationFactor: replicas,
    configEntries: Object.entries(configOf(spec, replicas)).map(([name, value]) => ({ name, value }))
  }))
  try {
    // False where some are there by now, as another process was quicker.
    if (!(await admin.createTopics({ topics, waitForLeaders: false }))) await check(admin, specs)
  } catch (error) {
    if (error instanceof ParcomoloError) throw error
    const causes = (error as { errors?: unknown[] }).errors ?? [error]
    const passing = causes.find(passes)
    if (passing !== undefined) throw passing as Error
    const reasons = [...new Set(causes.map(reasonOf))].join('; ')
    const isRefused = causes.some((cause) => codeOf(cause) === brokerError.topicAuthorization)
    const hint = isRefused ? ', so they may also be there and hidden from this log-in' : ''
    throw missingTopics(specs, making, `they cannot be made (${reasons})${hint}`)
  }
}

const creating = (spec: NamedSpec, { replicas, server }: Making): string => {
  const config = Object.entries(configOf(spec, replicas)).map(([name, value]) => `--config ${name}=${value}`)
  const size = `--partitions ${spec.partitions} --replication-factor ${replicas}`
  return `kafka-topics ${server} --create --topic ${spec.name} ${size} ${config.join(' ')}`
}

/**
 * What is wrong with a topic that was sound when this process began, with the command that cures it. `brokers`: as they
 * are configured, `host:port`.
 */
export const troubled = (
  what: string,
  { spec, replicas, brokers }: { readonly spec: NamedSpec; readonly replicas: number; readonly brokers: string },
  cause: unknown
): ParcomoloError => {
  const server = `--bootstrap-server ${brokers}`
  const waits = 'only who needs it waits, and goes on when it is cured'
  if (codeOf(cause) !== brokerError.unknownTopicOrPartition && codeOf(cause) !== brokerError.unknownTopicId)
    return new ParcomoloError(
      'PARCOMOLO_LOG_TOPIC_MISMATCH',
      `${what} is refused as too large (${reasonOf(cause)}); expected max.message.bytes of at least ${batchBytesMax} on ` +
        `'${spec.name}'; ${waits}: kafka-configs ${server} --alter --entity-type topics --entity-name ${spec.name} ` +
        `--add-config max.message.bytes=${batchBytesMax}`,
      { cause }
    )
  return new ParcomoloError(
    'PARCOMOLO_LOG_TOPIC_MISSING',
    `${what} waits, as topic '${spec.name}' is not there any more (${reasonOf(cause)}); expected it as it was; ` +
      `${waits}: ${creating(spec, { replicas, server })}`,
    { cause }
  )
}

const missingTopics = (specs: readonly NamedSpec[], making: Making, why: string): ParcomoloError => {
  const commands = specs.map((spec) => creating(spec, making))
  return new ParcomoloError(
    'PARCOMOLO_LOG_TOPIC_MISSING',
    `topics '${specs.map(({ name }) => name).join("', '")}' are missing, and ${why}; expected them as these commands make them:\n` +
      commands.join('\n')
  )
}

const topicResource = 2

const check = async (admin: Admin, specs: readonly NamedSpec[]): Promise<void> => {
  if (specs.length === 0) return
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) })
  const server = serverOf((await admin.describeCluster()).brokers)
  const resources = await settingsOf(admin, specs, server)
  const problems = await Promise.all(
    specs.map(async (spec) => {
      const partitions = topics.find(({ name }) => name === spec.name)?.partitions ?? []
      if (!isCount(spec, partitions.length)) return [await partitionProblem(admin, spec, partitions.length, server)]
      const entries = resources.find(({ resourceName }) => resourceName === spec.name)?.configEntries ?? []
      const config = new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
      return configProblems(spec, config, { replicas: replicasOf(partitions), server })
    })
  ).then((found) => found.flat())
  if (problems.length === 0) return
  throw new ParcomoloError('PARCOMOLO_LOG_TOPIC_MISMATCH', problems.join('\n'), { details: { problems } })
}

const isCount = ({ partitions, morePartitions }: TopicSpec, found: number): boolean =>
  found === partitions || (morePartitions !== undefined && found > partitions)

type Resources = Awaited<ReturnType<Admin['describeConfigs']>>['resources']

const settingsOf = async (admin: Admin, specs: readonly NamedSpec[], server: string): Promise<Resources> => {
  const names = specs.map(({ name }) => name)
  const asked = names.map((name) => ({ type: topicResource, name }))
  try {
    return (await admin.describeConfigs({ includeSynonyms: false, resources: asked })).resources
  } catch (error) {
    if (codeOf(error) !== brokerError.topicAuthorization) throw error
    throw new ParcomoloError(
      'PARCOMOLO_LOG_REFUSED',
      `the brokers do not tell how topics '${names.join("', '")}' are set up (${reasonOf(error)}); expected the right ` +
        `DescribeConfigs on them; put the log-in for NAME: kafka-acls ${server} --add --allow-principal User:NAME ` +
        `--operation DescribeConfigs ${names.map((name) => `--topic ${name}`).join(' ')}`,
      { cause: error }
    )
  }
}

const replicasOf = (partitions: readonly { replicas: readonly number[] }[]): number =>
  Math.min(...partitions.map(({ replicas }) => replicas.length))

/** Only of a topic in which nothing is lost, the command that deletes it is told. */
const partitionProblem = async (admin: Admin, spec: NamedSpec, found: number, server: string): Promise<string> => {
  const { name, partitions } = spec
  const isEmpty = (await admin.fetchTopicOffsets(name)).every(({ high }) => high === '0')
  const cure = 'set PARTITIONS to what it has, if it is one that PARTITIONS sets, or name another KAFKA_PREFIX'
  return (
    `topic '${name}' has '${found}' partitions; expected ${partitions}${
      spec.morePartitions === undefined ? '' : ' or more'
    }, as keys cannot be moved; ${cure}` +
    (isEmpty
      ? `; as nothing is in it yet, it may also be made anew: kafka-topics ${server} --delete --topic ${name}`
      : '')
  )
}

type Rule = { readonly config: string; readonly holds: (value: string) => boolean; readonly expected: string }

const configProblems = (spec: NamedSpec, config: ReadonlyMap<string, string>, making: Making): string[] =>
  rulesOf(spec, making.replicas)
    .filter((rule) => config.has(rule.config) && !rule.holds(config.get(rule.config)!))
    .map(
      (rule) =>
        `topic '${spec.name}' has ${rule.config} '${config.get(rule.config)}'; expected ${rule.expected}; ` +
        `kafka-configs ${making.server} --alter --entity-type topics --entity-name ${spec.name} --add-config ` +
        `${rule.config}=${configOf(spec, making.replicas)[rule.config]}`
    )

const rulesOf = ({ cleanup, retention }: TopicSpec, replicas: number): Rule[] => {
  const forever = { holds: (value: string) => value === '-1', expected: '-1, as a journal is the state itself' }
  const own = { holds: (value: string) => value === 'CreateTime', expected: "'CreateTime', as decisions depend on it" }
  const ofJournal = [
    { config: 'retention.ms', ...forever },
    { config: 'retention.bytes', ...forever },
    { config: 'message.timestamp.type', ...own }
  ]
  return [
    { config: 'cleanup.policy', holds: (value) => value === cleanup, expected: `'${cleanup}'` },
    ...(retention === 'forever' ? ofJournal : []),
    {
      config: 'max.message.bytes',
      holds: (value) => Number(value) >= batchBytesMax,
      expected: `at least ${batchBytesMax}, as a batch is atomic`
    },
    {
      config: 'min.insync.replicas',
      holds: (value) => replicas < 3 || Number(value) > 1,
      expected: 'more than 1, or what was acknowledged can be lost with one broker'
    }
  ]
}
