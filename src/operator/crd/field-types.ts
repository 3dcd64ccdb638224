/**
 * What a field may hold, said in such a way that schemas, tables and rules can be made of it: `structural-schema.ts`,
 * `json-schema.ts`, `field-table.ts`.
 */
export type Type =
  | TextType
  | WordType
  | NumberType
  | FlagType
  | ConditionType
  | ValuesType
  | ListType
  | RecordType
  | OrWordType
  | EitherType

/** One field of a record. */
export type Field = {
  readonly type: Type
  /** Whole sentences, for people. */
  readonly description: string
  readonly required?: boolean
  /** What holds where the field is left out. */
  readonly default?: string | number | boolean
  /** The same in words, where it depends on something. */
  readonly defaultText?: string
  readonly examples?: readonly string[]
  /** The key that some readers of YAML make of the field's. */
  readonly alias?: string
  /** Why it is set once and for all. */
  readonly fixed?: string
}

export type Fields = Readonly<Record<string, Field>>

export type TextType = {
  readonly kind: 'text'
  /** In a word or two, for tables. */
  readonly what: string
  readonly charsMax: number
  readonly pattern?: RegExp
  /** The one text that is refused although it looks right, and why. */
  readonly except?: { readonly text: string; readonly message: string }
  readonly format?: 'date-time'
  /** False where the loader takes blanks before and behind. */
  readonly exact: boolean
}

/** One of a few words. */
export type WordType = { readonly kind: 'word'; readonly of: readonly string[] }

export type NumberType = {
  readonly kind: 'number'
  readonly whole: boolean
  readonly min: number
  readonly max?: number
}

/** `true` or `false`; where `refusal` is there, only `false`, for the reason that it gives. */
export type FlagType = { readonly kind: 'flag'; readonly refusal?: string }

/** An expression that is true or false, or one of these two words themselves. */
export type ConditionType = { readonly kind: 'condition'; readonly charsMax: number }

/** A value for each of some names: an expression, or a record or list of such. */
export type ValuesType = { readonly kind: 'values'; readonly fieldsMax: number; readonly charsMax: number }

export type ListType = {
  readonly kind: 'list'
  readonly items: RecordType | EitherType
  readonly itemsMin: number
  readonly itemsMax: number
  /** The field that is different in each item; others then own and merge items one by one. */
  readonly mapKey?: string
  /** Its items may hold such a list again. */
  readonly nests?: boolean
  readonly rules?: readonly Rule[]
}

export type RecordType = {
  readonly kind: 'record'
  /** How schemas that can name a part refer to it; without a name it is written where it stands. */
  readonly name?: string
  /** How messages call it. */
  readonly what?: string
  readonly fields: Fields
  readonly rules?: readonly Rule[]
  readonly exclusions?: readonly Exclusion[]
}

/** A record, or a word in its place. */
export type OrWordType = { readonly kind: 'or word'; readonly record: RecordType; readonly word: string }

/** One of several records; each is told by its key. */
export type EitherType = {
  readonly kind: 'either'
  readonly name: string
  readonly of: readonly Alternative[]
  /** Said where an item is none of them, or several at once. */
  readonly message: string
}

export type Alternative = { readonly key: string; readonly record: RecordType }

/** A rule in CEL, as the API server keeps it. */
export type Rule = {
  readonly rule: string
  readonly message: string
  readonly reason: RuleReason
  /** Of the field at fault, below the place of the rule. */
  readonly at?: string
}

/** Not FieldValueDuplicate: the API server says no more than "Duplicate value" then. */
export type RuleReason = 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired'

/** A field that cannot stand beside a flag that is set, unless it is one of these words. */
export type Exclusion = {
  readonly flag: string
  readonly field: string
  readonly unless?: readonly string[]
  readonly message: string
}
