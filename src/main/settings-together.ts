import type { Config } from './config.ts'
import { applicationOf } from './application.ts'
import { rolesOf, sagaRoles } from './roles.ts'
import { settings } from './settings.ts'

type Key = keyof typeof settings

/** What is known of the variables that are set: each is accepted by itself. */
export type Given = {
  isSet(key: Key): boolean
  /** As it may be shown. */
  shown(key: Key): string
  /** Undefined where its text is none, which is told elsewhere. */
  value<K extends Key>(key: K): Config[K] | undefined
}

/** A line for each value that does not go with the others. */
export const wrongTogether = (given: Given): string[] => [
  ...missing(given),
  ...withoutTls(given),
  ...wrongRoles(given),
  ...withoutShop(given),
  ...withFiles(given)
]

/** A variable that is set, and another that must then be set as well. */
const needs: readonly (readonly [Key, Key])[] = [
  ['kafkaBrokers', 'registryUrl'],
  ...kafkaOnly().map((key) => [key, 'kafkaBrokers'] as const),
  ['kafkaSaslMechanism', 'kafkaSaslUsername'],
  ['kafkaSaslMechanism', 'kafkaSaslPassword'],
  ['kafkaSaslUsername', 'kafkaSaslMechanism'],
  ['kafkaSaslPassword', 'kafkaSaslMechanism'],
  ['kafkaTlsCertFile', 'kafkaTlsKeyFile'],
  ['kafkaTlsKeyFile', 'kafkaTlsCertFile'],
  ['registryUsername', 'registryPassword'],
  ['registryPassword', 'registryUsername']
]

/** Whoever sets one of these means Kafka, and must not get the embedded log. */
function kafkaOnly(): Key[] {
  const keys = Object.keys(settings) as Key[]
  return keys.filter((key) => /^(kafka|registry)/.test(key) && key !== 'kafkaBrokers')
}

const missing = (given: Given): string[] =>
  needs
    .filter(([key, needed]) => given.isSet(key) && !given.isSet(needed))
    .map(([key, needed]) => {
      const [{ name }, other] = [settings[key], settings[needed]]
      const expected = `expected ${other.name} to be set as well, to ${other.expected}`
      return `${refused(given, key)} without ${other.name}; ${expected}; set it, or leave ${name} out`
    })

const withoutTls = (given: Given): string[] => {
  if (given.value('kafkaTls') !== false) return []
  const files = (['kafkaTlsCaFile', 'kafkaTlsCertFile', 'kafkaTlsKeyFile'] as const).filter((key) => given.isSet(key))
  return files.map(
    (key) =>
      `${refused(given, key)} without TLS; expected KAFKA_TLS to be 'true' as well; ` +
      `set it, or leave ${settings[key].name} out`
  )
}

/** What only the resources of Kubernetes have a use for. */
const withFiles = (given: Given): string[] => {
  if (given.value('definitions') !== 'files') return []
  const keys = (['namespace', 'viewUrl'] as const).filter((key) => given.isSet(key))
  return keys.map(
    (key) =>
      `${refused(given, key)} where sagas come from files; expected PARCOMOLO_DEFINITIONS to be 'kubernetes' as well; ` +
      `set it, or leave ${settings[key].name} out`
  )
}

const wrongRoles = (given: Given): string[] => {
  const roles = given.value('roles')
  if (roles === undefined || roles === 'all') return []
  const lines: string[] = []
  if (!given.isSet('kafkaBrokers'))
    lines.push(
      `${refused(given, 'roles')} without KAFKA_BROKERS, as the embedded log is open to one process only, ` +
        "which has to run everything; expected 'all'; set KAFKA_BROKERS, or leave PARCOMOLO_ROLES out"
    )
  return [...lines, ...idleRoles(given, roles)]
}

/** Roles that the application does not have, or that have nothing to do in its flow. */
const idleRoles = (given: Given, roles: readonly string[]): string[] => {
  const [flow, app] = [given.value('flow'), given.value('app')]
  if (flow === undefined || app === undefined) return []
  const application = applicationOf({ app, flow })
  const known = rolesOf(application)
  const lines: string[] = []
  for (const role of roles.filter((one) => !known.includes(one)))
    lines.push(
      `${refused(given, 'roles')} with PARCOMOLO_APP '${app}', which has no '${role}'; ` +
        `expected a list of ${known.join(', ')}; leave '${role}' out, or set PARCOMOLO_APP to 'shop'`
    )
  for (const role of application.runsSagas ? [] : roles.filter((one) => sagaRoles.includes(one)))
    lines.push(
      `${refused(given, 'roles')} with FLOW 'choreography', where no saga runs and '${role}' has nothing to do; ` +
        `expected a list without it; leave '${role}' out, or set FLOW to 'orchestration'`
    )
  return lines
}

/** A flow is one of the shop's services. */
const withoutShop = (given: Given): string[] =>
  given.value('app') === 'none' && given.isSet('flow')
    ? [
        `${refused(given, 'flow')} with PARCOMOLO_APP 'none', which has no services that it could be the flow of; ` +
          "expected none; leave FLOW out, or set PARCOMOLO_APP to 'shop'"
      ]
    : []

const refused = (given: Given, key: Key): string => `${settings[key].name}: '${given.shown(key)}' is not accepted`
