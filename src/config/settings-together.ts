import type { Application, ApplicationSetting } from '../application/index.ts'
import { applicationOf, applications, applicationSettings, type Choice, everyApplication } from './applications.ts'
import { rolesOf, sagaRoles } from './roles.ts'
import { type Config, settings } from './settings.ts'

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
  ...ofOthers(given),
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

/** Undefined where one of the variables that say so has no such value, which is told elsewhere. */
const chosen = (given: Given): Application | undefined => {
  const keys = ['app', ...Object.keys(applicationSettings)] as Key[]
  const values = keys.map((key) => [key, given.value(key)] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  return applicationOf(Object.fromEntries(values) as Choice)
}

/** Roles that the application does not have, or that have nothing to do in its variant. */
const idleRoles = (given: Given, roles: readonly string[]): string[] => {
  const application = chosen(given)
  if (application === undefined) return []
  const { name, variant, runsSagas } = application
  const known = rolesOf(application)
  const lines: string[] = []
  for (const role of roles.filter((one) => !known.includes(one)))
    lines.push(
      `${refused(given, 'roles')} with PARCOMOLO_APP '${name}', which has no '${role}'; ` +
        `expected a list of ${known.join(', ')}; leave '${role}' out, or set PARCOMOLO_APP to '${ownerOf(role)}'`
    )
  if (runsSagas || variant === undefined) return lines
  const { setting, value, withSagas } = variant
  for (const role of roles.filter((one) => sagaRoles.includes(one)))
    lines.push(
      `${refused(given, 'roles')} with ${setting} '${value}', where no saga runs and '${role}' has nothing to do; ` +
        `expected a list without it; leave '${role}' out, or set ${setting} to '${withSagas}'`
    )
  return lines
}

const ownerOf = (role: string): string => everyApplication.find((one) => rolesOf(one).includes(role))!.name

/** Variables of an application that does not run. */
const ofOthers = (given: Given): string[] => {
  const app = given.value('app')
  const others = Object.entries<Own>(applications).filter(([name]) => app !== undefined && name !== app)
  return others.flatMap(([owner, own]) =>
    (Object.entries(own) as [Key, Own[string]][])
      .filter(([key]) => given.isSet(key))
      .map(
        ([key, { name, elsewhere }]) =>
          `${refused(given, key)} with PARCOMOLO_APP '${app!}', which ${elsewhere}; expected none; ` +
          `leave ${name} out, or set PARCOMOLO_APP to '${owner}'`
      )
  )
}

type Own = Readonly<Record<string, ApplicationSetting<unknown>>>

const refused = (given: Given, key: Key): string => `${settings[key].name}: '${given.shown(key)}' is not accepted`
