import { type Type } from 'avsc'
import { ParcomoloError } from '../base/index.ts'
import { type AvroType } from './avro-type.ts'

/** How many misfits of one value are told. */
const shownMax = 5
/** How much of a misfit is shown. */
const valueCharsMax = 60

/** What is wrong with a value that could not be written: every field that does not fit. */
export const valueMismatch = (fullName: string, type: AvroType, value: unknown, cause: unknown): ParcomoloError => {
  const misfits: { path: string; text: string }[] = []
  type.isValid(value, {
    errorHook: (path, found, expected) =>
      misfits.push({ path: pathText(path), text: misfitText(path, found, expected) })
  })
  const texts = misfits.slice(0, shownMax).map((misfit) => misfit.text)
  if (texts.length === 0) texts.push(cause instanceof Error ? cause.message : String(cause))
  if (misfits.length > shownMax) texts.push(`and ${misfits.length - shownMax} more`)
  return new ParcomoloError(
    'PARCOMOLO_CONTRACT_VALUE_MISMATCH',
    `value does not fit '${fullName}': ${texts.join('; ')}`,
    {
      details: { fullName, paths: misfits.map((misfit) => misfit.path) },
      cause
    }
  )
}

const misfitText = (path: readonly string[], found: unknown, expected: Type): string => {
  const where = path.length === 0 ? 'it' : `field '${pathText(path)}'`
  return `${where} ${found === undefined ? 'is missing' : `is ${shown(found)}`}, expected ${described(expected)}`
}

const pathText = (path: readonly string[]): string =>
  path.map((step, i) => (/^\d+$/.test(step) ? `[${step}]` : `${i === 0 ? '' : '.'}${step}`)).join('')

const shown = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return value instanceof Uint8Array ? `${value.length} bytes` : 'an object'
  const text = `${value as string | number | boolean}`
  return `the ${typeof value} '${text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}…` : text}'`
}

const texts: Readonly<Record<string, string>> = {
  null: 'null',
  int: 'a whole number within ±2147483647',
  long: 'a whole number within ±9007199254740990',
  float: 'a number',
  double: 'a number',
  array: 'a list',
  'logical:binary': 'bytes'
}

const described = (type: Type): string => {
  if (type.typeName === 'record') return `a record '${type.name}'`
  if ('symbols' in type) return `one of ${(type.symbols as string[]).map((symbol) => `'${symbol}'`).join(', ')}`
  if ('types' in type) return (type.types as Type[]).map(described).join(' or ')
  return texts[type.typeName] ?? `a ${type.typeName}`
}
