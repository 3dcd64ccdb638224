import type { ViewRecord } from './record.ts'
import type { Shape } from './timeline.ts'

/**
 * A read model as one value: what is read, how it is folded, and how it is kept and asked for. Cache, waiters and both
 * stores go by it, and know no read model by name.
 *
 * J1. `fold` is pure, and a function of each journal in its own order: in what order the journals are read must not
 *     matter.
 * J2. A row is plain data, as JSON keeps it, and is never changed: `fold` makes another one.
 */
export type Projection<Row extends object = object, Column extends string = string, Filter extends string = string> = {
  /** That of its table: small letters, digits and `_`. */
  readonly name: string
  /** Raise it with every change of a row, its fold or its packing: the store is then folded anew. */
  readonly layout: number
  /** The topics of the journals that it is folded from. */
  readonly reads: readonly string[]
  /** The keys of the rows that an event is about: one, several, or none. */
  keyOf(record: ViewRecord): string | readonly string[] | undefined
  /** The row after an event; undefined, or the row itself, where the event changes nothing. */
  fold(before: Row | undefined, record: ViewRecord, key: string): Row | undefined
  /** Where its rows show something of another projection's. */
  readonly follows?: Follows<Row>
  /** What a row takes in memory, rounded up; a text a byte a character. */
  bytesOf(row: Row): number
  /** What rows are looked up, filtered and ordered by. All else is in the row's body. */
  readonly columns: Readonly<Record<Column, ColumnOf<Row>>>
  /** Its key as columns of text, which the key joins with `/`; only the last of them may have a `/` in it. */
  readonly key: readonly NoInfer<Column>[]
  /** Readers see a row when this column is not null. */
  readonly shownBy?: NoInfer<Column>
  /** Lists are newest first by this column, in ms since 1970, and by key where that is equal; without it, by key. */
  readonly newestBy?: NoInfer<Column>
  /** What lists may be filtered by; each is an index. Of several that fit, the first is taken. */
  readonly lists: readonly ListBy<Filter>[]
  /** The value that nearly all rows have in the end: who lists those finds them by time, so no index pays for it. */
  readonly usual?: { readonly column: NoInfer<Filter>; readonly value: string }
  /** Rows in which `until` is null are counted by these columns. */
  readonly counts?: { readonly by: readonly NoInfer<Column>[]; readonly until: NoInfer<Column> }
  /** How SQLite keeps what is not in columns; without it, it keeps the row as JSON. */
  readonly packing?: Packing<Row>
}

/** Checks that the parts of a projection fit together; what types cannot say, `viewLayout` looks at. */
export const projection = <Row extends object, Column extends string, Filter extends Column>(
  value: Projection<Row, Column, Filter>
): Projection<Row, Column, Filter> => value

export type ColumnOf<Row> = {
  readonly type: 'text' | 'integer'
  of(row: Row): ColumnValue
  /** It never changes once the row is there. */
  readonly isFixed?: true
}

export type ColumnValue = string | number | null

/** By column. */
export type ColumnValues = Readonly<Record<string, ColumnValue>>

export type ListBy<Filter extends string = string> = { readonly by: readonly Filter[] }

/** Values by column; one that is undefined does not count. */
export type FilterBy<Filter extends string = string> = { readonly [Name in Filter]?: string | undefined }

/**
 * Rows that are folded with those of another projection, whenever one of these has changed. That one follows nobody.
 */
export type Follows<Row extends object = object, Followed extends object = object> = {
  readonly projection: Projection<Followed>
  /** The key of the row that follows, by that of the row followed. */
  keyOf(followed: string): string | undefined
  fold(before: Row | undefined, followed: Followed, key: string): Row | undefined
}

export const follows = <Row extends object, Followed extends object>(
  value: Follows<Row, Followed>
): Follows<Row, Followed> => value

/** A row's body as a JSON array without names. `unpack` is given the columns as they were. */
export type Packing<Row extends object = object, Packed extends readonly unknown[] = readonly unknown[]> = {
  pack(row: Row, shapes: ShapeNumbers): readonly unknown[]
  unpack(packed: Packed, columns: ColumnValues, shapes: ShapeNumbers): Row
}

/** The numbers under which a store keeps shapes of timeline entries. */
export type ShapeNumbers = {
  /** The shape itself where there is no number to be had. */
  numberOf(shape: Shape): number | Shape
  shapeOf(number: number): Shape
}

export const isShown = ({ shownBy, columns }: Projection, row: object): boolean =>
  shownBy === undefined || columns[shownBy]!.of(row) !== null

/** A row's key, from its columns. */
export const keyIn = ({ key, columns }: Projection, row: object): string =>
  key.map((name) => columns[name]!.of(row)).join('/')

/** A key as its columns. */
export const keyParts = ({ key }: Projection, text: string): readonly string[] => {
  const parts: string[] = []
  let from = 0
  for (let i = 1; i < key.length; i++) {
    const at = text.indexOf('/', from)
    parts.push(text.slice(from, at))
    from = at + 1
  }
  parts.push(text.slice(from))
  return parts
}

/** What does not come with a key and may change. */
export const changing = ({ key, columns }: Projection): readonly string[] =>
  Object.entries(columns)
    .filter(([name, { isFixed }]) => isFixed !== true && !key.includes(name))
    .map(([name]) => name)

/** The primary key: first what tells most, so that it serves lists by that too. */
export const primaryKey = ({ key }: Projection): readonly string[] => key.toReversed()

/** The list whose index finds what this filter asks for; undefined where none does. */
export const listFor = ({ lists, usual }: Projection, filter: FilterBy): ListBy | undefined => {
  const isGiven = (name: string): boolean =>
    filter[name] !== undefined && !(usual?.column === name && usual.value === filter[name])
  return lists.find(({ by }) => by.every(isGiven))
}

/** True for a list that needs no index of its own, as the primary key finds its rows. */
export const isServedByKey = (of: Projection, { by }: ListBy): boolean =>
  by.length === 0 ? of.newestBy === undefined : by.length === 1 && by[0] === primaryKey(of)[0]
