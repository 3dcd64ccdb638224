import type { Field } from './field-types.ts'

/** All that is to be said of a field, as `kubectl explain` and editors show it. */
export const describe = ({ description, examples = [], ...field }: Field): string => {
  const standard = defaultOf(field)
  return [
    description,
    standard === undefined ? '' : `Default: ${standard}.`,
    examples.length === 0 ? '' : `For example: ${examples.join(' or ')}`
  ]
    .filter((part) => part !== '')
    .join(' ')
}

/** In words, whether or not it depends on something. */
export const defaultOf = (field: Pick<Field, 'default' | 'defaultText'>): string | undefined =>
  field.default === undefined ? field.defaultText : String(field.default)
