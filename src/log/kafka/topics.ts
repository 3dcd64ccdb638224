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
  const replicas = rules.replicationFactor ?? Math.min(3, (await admin.describeCluster()).brokers.length)
  if (!rules.creates) throw missingTopics(missing, replicas, 'KAFKA_CREATE_TOPICS forbids to make them')
  await create(admin, missing, replicas)
}

/** What a topic must be set to for the guarantees to hold. */
const configOf = ({ cleanup, retention }: TopicSpec, replicas: number): Record<string, string> => ({
  'cleanup.policy': cleanup,
  'min.insync.replicas': String(Math.max(1, replicas - 1)),
  'max.message.bytes': String(batchBytesMax),
  // Readers unpack gzip and zstd only, and foreign producers may use anything: the broker unpacks it for all.
  'compression.type': 'uncompressed',
  ...(retention === 'forever' ? { 'retention.ms': '-1', 'retention.bytes': '-1' } : {})
})

const create = async (admin: Admin, specs: readonly NamedSpec[], replicas: number): Promise<void> => {
  const topics = specs.map((spec) => ({
    topic: spec.name,
    numPartitions: spec.partitions,
    replicationFactor: replicas,
    configEntries: Object.entries(configOf(spec, replicas)).map(([name, value]) => ({ name, value }))
  }))
  try {
    await admin.createTopics({ topics, waitForLeaders: false })
  } catch (error) {
    const causes = (error as { errors?: unknown[] }).errors ?? [error]
    // Another process may have been quicker.
    if (causes.every((cause) => codeOf(cause) === brokerError.topicExists)) return check(admin, specs)
    const passing = causes.find(passes)
    if (passing !== undefined) throw passing as Error
    throw missingTopics(specs, replicas, `they cannot be made (${causes.map(reasonOf).join('; ')})`)
  }
}

const missingTopics = (specs: readonly NamedSpec[], replicas: number, why: string): ParcomoloError => {
  const commands = specs.map((spec) => {
    const config = Object.entries(configOf(spec, replicas)).map(([name, value]) => `--config ${name}=${value}`)
    const size = `--partitions ${spec.partitions} --replication-factor ${replicas}`
    return `kafka-topics --create --topic ${spec.name} ${size} ${config.join(' ')}`
  })
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
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: specs.map(({ name }) => ({ type: topicResource, name }))
  })
  const problems = specs.flatMap((spec) => {
    const partitions = topics.find(({ name }) => name === spec.name)?.partitions ?? []
    const entries = resources.find(({ resourceName }) => resourceName === spec.name)?.configEntries ?? []
    const config = new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
    return [...partitionProblem(spec, partitions.length), ...configProblems(spec, config, replicasOf(partitions))]
  })
  if (problems.length === 0) return
  throw new ParcomoloError('PARCOMOLO_LOG_TOPIC_MISMATCH', problems.join('\n'), { details: { problems } })
}

const replicasOf = (partitions: readonly { replicas: readonly number[] }[]): number =>
  Math.min(...partitions.map(({ replicas }) => replicas.length))

const partitionProblem = ({ name, partitions }: NamedSpec, found: number): string[] =>
  found === partitions
    ? []
    : [
        `topic '${name}' has '${found}' partitions; expected ${partitions}; ` +
          'set PARTITIONS to what it has, or name another KAFKA_PREFIX: keys cannot be moved to other partitions'
      ]

type Rule = { readonly config: string; readonly holds: (value: string) => boolean; readonly expected: string }

const configProblems = (spec: NamedSpec, config: ReadonlyMap<string, string>, replicas: number): string[] =>
  rulesOf(spec, replicas)
    .filter((rule) => config.has(rule.config) && !rule.holds(config.get(rule.config)!))
    .map(
      (rule) =>
        `topic '${spec.name}' has ${rule.config} '${config.get(rule.config)}'; expected ${rule.expected}; ` +
        `kafka-configs --alter --entity-type topics --entity-name ${spec.name} --add-config ` +
        `${rule.config}=${configOf(spec, replicas)[rule.config]}`
    )

const rulesOf = ({ cleanup, retention }: TopicSpec, replicas: number): Rule[] => {
  const forever = { holds: (value: string) => value === '-1', expected: '-1, as a journal is the state itself' }
  return [
    { config: 'cleanup.policy', holds: (value) => value === cleanup, expected: `'${cleanup}'` },
    ...(retention === 'forever' ? ['retention.ms', 'retention.bytes'].map((config) => ({ config, ...forever })) : []),
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
