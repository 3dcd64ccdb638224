import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { connector } from '../../../src/log/kafka/kafkajs.ts'
import { type Config, readConfig } from '../../../src/config/index.ts'
import { kafkaOptions } from '../../../src/main/kafka-options.ts'

export type Installation = {
  /** For whatever takes part in it. */
  readonly variables: NodeJS.ProcessEnv
  readonly config: Config
}

/** A part of the Kafka of the environment for one target; all that is written there ends with `resources`. */
export const openInstallation = async (
  resources: AsyncDisposableStack,
  own: Readonly<Record<string, string>>
): Promise<Installation> => {
  if (!process.env['KAFKA_BROKERS'] || !process.env['SCHEMA_REGISTRY_URL'])
    throw new Error('--on: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name no Kafka and no registry; set both')
  const prefix = `${process.env['KAFKA_PREFIX'] ?? ''}bench-${randomUUID().slice(0, 8)}-`
  const variables = { ...process.env, ...own, KAFKA_PREFIX: prefix }
  const config = readConfig(variables)
  resources.defer(async () => {
    await removeTopics(config)
    await removeSubjects(config)
  })
  return { variables, config }
}

const removeTopics = async (config: Config): Promise<void> => {
  const admin = connector({ requestTimeoutMs: 30_000, ...(await kafkaOptions(config)) }).admin()
  const isOwn = (name: string): boolean => name.startsWith(config.kafkaPrefix)
  await admin.connect()
  try {
    // Looked for in each try, since one that is busy does not keep the others from being deleted.
    await untilMembersAreGone(async () => {
      const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(isOwn)
      await admin.deleteGroups(groups)
    })
    const topics = (await admin.listTopics()).filter(isOwn)
    if (topics.length > 0) await admin.deleteTopics({ topics, timeout: 30_000 })
  } finally {
    await admin.disconnect()
  }
}

/** A process that was killed is a member until its session is over. */
const untilMembersAreGone = async (remove: () => Promise<unknown>): Promise<void> => {
  const until = performance.now() + 15_000
  for (;;) {
    try {
      return void (await remove())
    } catch (error) {
      if (performance.now() > until) throw error
    }
    await setTimeout(500)
  }
}

/** A subject has to be deleted twice: first it only hides. */
const removeSubjects = async (config: Config): Promise<void> => {
  const { registryUrl, registryUsername: user, registryPassword: password, kafkaPrefix } = config
  const headers = user === '' ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
  const all = (await (await fetch(`${registryUrl}/subjects`, { headers })).json()) as string[]
  for (const subject of all.filter((name) => name.startsWith(kafkaPrefix))) {
    const url = `${registryUrl}/subjects/${encodeURIComponent(subject)}`
    for (const query of ['', '?permanent=true']) await fetch(url + query, { method: 'DELETE', headers })
  }
}
