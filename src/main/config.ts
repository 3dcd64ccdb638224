import { nearest, ParcomoloError } from '../base/index.ts'
import { laterSettings, type Setting, settings } from './settings.ts'

/** The process's configuration, as it was when it started. */
export type Config = {
  readonly [Name in keyof typeof settings]: (typeof settings)[Name] extends Setting<infer T> ? T : never
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable as `parcomolo config` shows it. */
export type SettingInUse = {
  readonly name: string
  /** Empty where it is unset and has no standard. */
  readonly value: string
  readonly standard: string
  readonly isSet: boolean
  readonly meaning: string
}

/** Checks the whole environment; throws PARCOMOLO_CONFIG_INVALID with a line for everything that is wrong in it. */
export const readConfig = (environment: Environment): Config => {
  const lines = [...wrongValues(environment), ...unknownNames(environment), ...laterNames(environment)]
  if (lines.length > 0) throw new ParcomoloError('PARCOMOLO_CONFIG_INVALID', lines.join('\n'), { details: { lines } })
  return Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, setting.parse(textOf(setting, environment))])
  ) as Config
}

/** Every variable with its value in this environment. */
export const settingsInUse = (environment: Environment): SettingInUse[] =>
  Object.values(settings).map((setting) => ({
    name: setting.name,
    value: textOf(setting, environment),
    standard: setting.standard,
    isSet: isSet(setting.name, environment),
    meaning: setting.meaning
  }))

/** A variable that is set to nothing is not set: that is how compose files and shells leave one out. */
const isSet = (name: string, environment: Environment): boolean => (environment[name] ?? '') !== ''

const textOf = ({ name, standard }: Setting<unknown>, environment: Environment): string =>
  isSet(name, environment) ? environment[name]! : standard

const wrongValues = (environment: Environment): string[] =>
  Object.values<Setting<unknown>>(settings)
    .filter((setting) => setting.parse(textOf(setting, environment)) === undefined)
    .map(
      ({ name, expected, standard }) =>
        `${name}: '${environment[name]}' is not accepted; expected ${expected}; ${
          standard === '' ? 'leave it out if in doubt' : `leave it out to use '${standard}'`
        }`
    )

const unknownNames = (environment: Environment): string[] => {
  const known = Object.values(settings).map(({ name }) => name)
  return namesSet(environment)
    .filter((name) => name.startsWith('PARCOMOLO_') && !known.some((other) => other === name))
    .map((name) => {
      // Compared without the prefix, which would make any two names alike, and which not all of them have.
      const meant = nearest(bare(name), known.map(bare))
      const found = known.find((other) => bare(other) === meant)
      const remedy = found === undefined ? "'parcomolo config' lists all that there are" : `did you mean '${found}'?`
      return `${name}: no variable has this name; ${remedy}`
    })
}

const bare = (name: string): string => name.replace(/^PARCOMOLO_/, '')

const laterNames = (environment: Environment): string[] =>
  namesSet(environment)
    .filter((name) => laterSettings.some((later) => later.test(name)))
    .map((name) => `${name}: '${environment[name]}' asks for what this version does not support yet; unset it to start`)

const namesSet = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter((name) => isSet(name, environment))
    .sort()
