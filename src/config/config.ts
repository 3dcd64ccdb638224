import { nearest, ParcomoloError, shownText } from '../base/index.ts'
import type { Setting } from '../application/index.ts'
import { type Config, laterSettings, ownNames, settings } from './settings.ts'
import { type Given, wrongTogether } from './settings-together.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable as `parcomolo config` shows it. */
export type SettingInUse = {
  readonly name: string
  /** Empty where it is unset and has no standard; without what is secret in it. */
  readonly value: string
  readonly standard: string
  readonly isSet: boolean
  readonly meaning: string
}

/** Checks the whole environment; throws PARCOMOLO_CONFIG_INVALID with a line for everything that is wrong in it. */
export const readConfig = (environment: Environment): Config => {
  const lines = [
    ...wrongValues(environment),
    ...wrongTogether(givenIn(environment)),
    ...unknownNames(environment),
    ...laterNames(environment)
  ]
  if (lines.length > 0) throw configInvalid(lines)
  return Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, setting.parse(textOf(setting, environment))])
  ) as Config
}

/** One error for all that is wrong, a line each, as `NAME: 'value' is not accepted; …`. */
export const configInvalid = (lines: readonly string[]): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_CONFIG_INVALID', lines.join('\n'), { details: { lines } })

/** Every variable with its value in this environment. */
export const settingsInUse = (environment: Environment): SettingInUse[] =>
  Object.values<Setting<unknown>>(settings).map((setting) => ({
    name: setting.name,
    value: shown(setting, environment),
    standard: standardOf(setting, environment),
    isSet: isSet(setting.name, environment),
    meaning: setting.meaning
  }))

/** A variable that is set to nothing is not set: that is how compose files and shells leave one out. */
const isSet = (name: string, environment: Environment): boolean => (environment[name] ?? '') !== ''

const standardOf = ({ standard, standardOnKafka }: Setting<unknown>, environment: Environment): string =>
  isSet(settings.kafkaBrokers.name, environment) ? (standardOnKafka ?? standard) : standard

const textOf = (setting: Setting<unknown>, environment: Environment): string =>
  isSet(setting.name, environment) ? environment[setting.name]! : standardOf(setting, environment)

const shown = (setting: Setting<unknown>, environment: Environment): string => {
  const text = textOf(setting, environment)
  return setting.shown === undefined ? shownText(text) : setting.shown(text)
}

const givenIn = (environment: Environment): Given => ({
  isSet: (key) => isSet(settings[key].name, environment),
  shown: (key) => shown(settings[key], environment),
  value: <K extends keyof Config>(key: K) => settings[key].parse(textOf(settings[key], environment)) as Config[K]
})

const wrongValues = (environment: Environment): string[] =>
  Object.values<Setting<unknown>>(settings)
    .filter((setting) => setting.parse(textOf(setting, environment)) === undefined)
    .map((setting) => {
      const { name, expected } = setting
      const meant = setting.meant?.(textOf(setting, environment)) ?? ''
      const remedy = meant === '' ? `; ${leaveOut(standardOf(setting, environment))}` : meant
      return `${name}: '${shown(setting, environment)}' is not accepted; expected ${expected}${remedy}`
    })

const leaveOut = (standard: string): string =>
  standard === '' ? 'leave it out if in doubt' : `leave it out to use '${standard}'`

const unknownNames = (environment: Environment): string[] => {
  const known = Object.values(settings).map(({ name }) => name)
  return namesSet(environment)
    .filter((name) => ownNames.test(name) && !known.some((other) => other === name))
    .map((name) => {
      // Compared without the prefix, which would make any two names alike, and which not all of them have.
      const meant = nearest(bare(name), known.map(bare))
      const found = known.find((other) => bare(other) === meant)
      const remedy = found === undefined ? "'parcomolo config' lists all that there are" : `did you mean '${found}'?`
      return `${name}: no variable has this name; ${remedy}`
    })
}

const bare = (name: string): string => name.replace(/^PARCOMOLO_/, '')

/** Without their values, in which others keep passwords. */
const laterNames = (environment: Environment): string[] =>
  namesSet(environment)
    .filter((name) => laterSettings.some((later) => later.test(name)))
    .map((name) => `${name}: it asks for what this version does not support yet; unset it to start`)

const namesSet = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter((name) => isSet(name, environment))
    .sort()
