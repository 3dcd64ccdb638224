import { durationCharsMax, durationPattern } from '../../base/index.ts'
import { sagaLimits } from '../../saga/index.ts'
import type { ConditionType, TextType, ValuesType } from './field-types.ts'

const expressionCharsMax = sagaLimits.expressionChars.value

/** Something but blanks. */
const notBlank = /\S/

export const duration: TextType = {
  kind: 'text',
  what: 'duration',
  charsMax: durationCharsMax,
  pattern: durationPattern,
  exact: true
}

export const expression: TextType = {
  kind: 'text',
  what: 'expression',
  charsMax: expressionCharsMax,
  pattern: notBlank,
  exact: false
}

export const condition: ConditionType = { kind: 'condition', charsMax: expressionCharsMax }

export const values: ValuesType = {
  kind: 'values',
  fieldsMax: sagaLimits.fields.value,
  charsMax: expressionCharsMax
}

const referenceTo = (what: string): TextType => ({
  kind: 'text',
  what,
  charsMax: sagaLimits.reference.value,
  pattern: notBlank,
  exact: false
})

export const command = referenceTo('command')
export const event = referenceTo('event')
