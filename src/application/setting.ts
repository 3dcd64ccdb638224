import { hidden, parseBytes, parseDuration } from '../base/index.ts'

/** One environment variable: what it is called, what it may be, and what it is for. */
export type Setting<T> = Kind<T> & {
  readonly name: string
  /** As a person would write it; it is parsed like any other value. */
  readonly standard: string
  /** The standard where there are Kafka brokers, if that is another one. */
  readonly standardOnKafka?: string
  readonly meaning: string
}

/** A variable that only one application has. */
export type ApplicationSetting<T> = Setting<T> & {
  /** Why it means nothing beside another, as it stands after "which": 'has no …'. */
  readonly elsewhere: string
}

/** What the values of a variable are like. */
export type Kind<T> = {
  /** What a value must look like, as it stands in an error after "expected". */
  readonly expected: string
  /** The value; undefined where the text is none. */
  parse(text: string): T | undefined
  /** `; did you mean 'x'?` for a text that is none, or nothing. */
  meant?(text: string): string
  /** The text as it may be shown, where there can be a secret in it; as `shownText` has it if not given. */
  shown?(text: string): string
}

export const wholeNumber = (min: number, max: number): Kind<number> => ({
  expected: `a whole number from ${min} to ${max}`,
  parse: (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }
})

export const oneOf = <const T extends string>(...values: readonly T[]): Kind<T> => ({
  expected: values.map((value) => `'${value}'`).join(' or '),
  parse: (text) => values.find((value) => value === text)
})

export const yesOrNo: Kind<boolean> = {
  expected: "'true' or 'false'",
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined)
}

/** The value is in milliseconds. */
export const duration = (min: string, max: string): Kind<number> => ({
  expected: `a duration from ${min} to ${max}`,
  parse: (text) => {
    const ms = parseDuration(text)
    return ms !== undefined && ms >= parseDuration(min)! && ms <= parseDuration(max)! ? ms : undefined
  }
})

/** The value is in bytes. */
export const byteCount = (min: string): Kind<number> => ({
  expected: `a size such as 256Mi, 1Gi, 512MB or a number of bytes, ${min} at least`,
  parse: (text) => {
    const bytes = parseBytes(text)
    return bytes !== undefined && bytes >= parseBytes(min)! ? bytes : undefined
  }
})

export const anyText = (expected: string): Kind<string> => ({ expected, parse: (text) => text })

/** Null where the variable is left out; its standard is then empty. */
export const optional = <T>(kind: Kind<T>): Kind<T | null> => ({
  ...kind,
  parse: (text) => (text === '' ? null : kind.parse(text))
})

/** Nobody gets to see it, not even when it is wrong. */
export const secret = <T>(kind: Kind<T>): Kind<T> => ({ ...kind, shown: (text) => (text === '' ? '' : hidden) })
