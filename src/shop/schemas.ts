import type { Schema } from '../http/index.ts'

export const sku: Schema = {
  type: 'string',
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  description: "letters, digits, '.', '_' and '-', a letter or digit first"
}
