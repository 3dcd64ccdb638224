import { hasBefore, type Holder, RowCache } from './cache.ts'
import type { Follows, Projection } from './projection.ts'
import type { ViewRecord } from './record.ts'

/** A projection with those of its rows that are in memory. */
export type Table = {
  readonly projection: Projection
  readonly rows: RowCache<object>
  readonly followers: readonly Follower[]
}

type Follower = { readonly table: Table; readonly follows: Follows }

/** The tables of all projections, and which of them an event of a topic goes to. */
export type Tables = {
  readonly all: readonly Table[]
  readonly byName: ReadonlyMap<string, Table>
  readonly byTopic: ReadonlyMap<string, readonly Table[]>
}

export const tablesOf = (projections: readonly Projection[], idleBytesMax: number): Tables => {
  const followers = new Map<Projection, Follower[]>(projections.map((projection) => [projection, []]))
  const all = projections.map((projection) => ({
    projection,
    rows: new RowCache<object>(idleBytesMax, (row) => projection.bytesOf(row)),
    followers: followers.get(projection)!
  }))
  for (const table of all) {
    const { follows } = table.projection
    if (follows !== undefined) followers.get(follows.projection)!.push({ table, follows })
  }
  const topics = new Set(projections.flatMap(({ reads }) => reads))
  const readersOf = (topic: string): readonly Table[] =>
    all.filter(({ projection }) => projection.reads.includes(topic))
  return {
    all,
    byName: new Map(all.map((table) => [table.projection.name, table])),
    byTopic: new Map([...topics].map((topic) => [topic, readersOf(topic)]))
  }
}

/** An event with the rows that it may read or change. */
export type Touch = { readonly record: ViewRecord; readonly rows: readonly Held[] }

type Held = {
  readonly table: Table
  readonly holder: Holder<object>
  readonly followers: readonly HeldFollower[]
}

type HeldFollower = { readonly follower: Follower; readonly holder: Holder<object> }

/**
 * Takes hold of the rows of an event, before it is folded. `previous`: the event before it, often of the same row,
 * whose hold it shares then.
 */
export const touch = ({ byTopic }: Tables, record: ViewRecord, previous: Touch | undefined): Touch => {
  const rows: Held[] = []
  for (const table of byTopic.get(record.topic) ?? none) {
    const key = table.projection.keyOf(record)
    if (typeof key === 'string') rows.push(heldBefore(previous?.rows[rows.length], table, key) ?? held(table, key))
    else if (key !== undefined) for (const one of onceEach(key)) rows.push(held(table, one))
  }
  return { record, rows }
}

const heldBefore = (before: Held | undefined, table: Table, key: string): Held | undefined =>
  before !== undefined && before.table === table && before.holder.key === key ? before : undefined

const held = (table: Table, key: string): Held => {
  const holder = table.rows.hold(key)
  return { table, holder, followers: table.followers.length === 0 ? none : heldFollowers(table, key) }
}

const heldFollowers = ({ followers }: Table, key: string): readonly HeldFollower[] =>
  followers.flatMap((follower) => {
    const own = follower.follows.keyOf(key)
    return own === undefined ? [] : [{ follower, holder: follower.table.rows.hold(own) }]
  })

const onceEach = (keys: readonly string[]): Iterable<string> => (keys.length > 1 ? new Set(keys) : keys)

/** Is told of each row that an event has changed, or would have. */
export type OnChange = (table: Table, holder: Holder<object>) => void

/** Folds one event into its rows, but for those that had it when they were read. */
export const applyTouch = ({ record, rows }: Touch, onChange: OnChange): void => {
  for (const one of rows) {
    const after = rowAfter(one, record, onChange)
    if (after !== undefined) for (const follower of one.followers) follow(follower, one.holder, record, onChange)
  }
}

/** Undefined where the event changes nothing. */
const rowAfter = ({ table, holder }: Held, record: ViewRecord, onChange: OnChange): object | undefined => {
  // What follows it may have been read before it, and then has not got this event yet.
  if (hasBefore(holder, record)) {
    onChange(table, holder)
    return holder.row
  }
  const after = table.projection.fold(holder.row, record, holder.key)
  if (after === undefined || after === holder.row) return undefined
  table.rows.change(holder, after)
  onChange(table, holder)
  return after
}

const follow = (
  { follower: { table, follows }, holder }: HeldFollower,
  followed: Holder<object>,
  record: ViewRecord,
  onChange: OnChange
): void => {
  if (hasBefore(holder, record)) return onChange(table, holder)
  const after = follows.fold(holder.row, followed.row!, holder.key)
  if (after === undefined || after === holder.row) return
  table.rows.change(holder, after)
  if (followed.ahead !== undefined) holder.ahead = followed.ahead
  onChange(table, holder)
}

const none: readonly never[] = []
