import type { SQLInputValue } from 'node:sqlite'
import type { PageRequest } from '../store.ts'

/** The conditions of a list, joined by AND, with the values of their placeholders. */
export class Where {
  readonly #conditions: string[] = []
  readonly values: SQLInputValue[] = []

  add(condition: string, ...values: SQLInputValue[]): this {
    this.#conditions.push(condition)
    this.values.push(...values)
    return this
  }

  equal(column: string, value: string | undefined): this {
    return value === undefined ? this : this.add(`${column} = ?`, value)
  }

  /** All but the usual status have an index, which SQLite takes only where the condition is said. */
  status(value: string | undefined, usual: string): this {
    this.equal('status', value)
    return value === undefined || value === usual ? this : this.add(`status <> '${usual}'`)
  }

  before(timeColumn: string, keyColumn: string, { after }: PageRequest): this {
    return after === undefined ? this : this.add(`(${timeColumn}, ${keyColumn}) < (?, ?)`, after.at, after.key)
  }

  text(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
}
