import { sha256Hex } from '../base/index.ts'
import type { Projection } from './projection.ts'
import { sagas } from './sagas.ts'

/** Raise it with every change of a table that no projection describes, or of how rows are kept. */
const engineLayout = 4

/**
 * The projections that a store keeps, and which layout of tables that makes. The same code always makes the same one; a
 * store of another layout is not read, and what it kept is folded again.
 */
export type ViewLayout = LayoutMark & { readonly projections: readonly Projection[] }

export type LayoutMark = {
  /** It rises with every change: what has a lower one is older. */
  readonly version: number
  /** Tells layouts of one version apart, such as those of two applications. */
  readonly said: string
}

/** The engine's own projection and those of an application. */
export const viewLayout = (ofApplication: readonly Projection[]): ViewLayout => {
  const projections = [sagas, ...ofApplication]
  for (const one of projections) checkProjection(one, projections)
  const version = projections.reduce((sum, { layout }) => sum + layout, engineLayout)
  const told = projections.map(described).sort()
  const names = projections.map(({ name, layout }) => `${name}.${layout}`).sort()
  return { projections, version, said: [engineLayout, ...names, sha256Hex(told.join('\n')).slice(0, 12)].join(' ') }
}

const described = (of: Projection): string => {
  const columns = Object.entries(of.columns).map(([name, { type, isFixed }]) => [name, type, isFixed])
  const { name, key, newestBy, shownBy, lists, usual, counts, packing } = of
  return JSON.stringify([name, columns, key, newestBy, shownBy, lists, usual, counts, packing !== undefined])
}

/** Throws where a projection contradicts itself or another one: a defect of whoever wrote it. */
const checkProjection = (one: Projection, all: readonly Projection[]): void => {
  const wrong = wrongName(one, all) ?? wrongColumns(one) ?? wrongFollow(one, all)
  if (wrong !== undefined) throw new TypeError(`the projection '${one.name}' ${wrong}`)
}

const wrongName = ({ name, layout }: Projection, all: readonly Projection[]): string | undefined => {
  if (!/^[a-z][a-z0-9_]{0,29}$/.test(name)) return `is to be named with small letters, digits and '_', at most 30`
  if (ownTables.has(name)) return 'has the name of a table of the engine'
  if (!Number.isInteger(layout) || layout < 1) return `has layout ${layout}; expected 1 or more`
  return all.filter((other) => other.name === name).length > 1 ? 'is there twice' : undefined
}

const wrongColumns = ({ columns, key, lists, newestBy }: Projection): string | undefined => {
  const bad = Object.keys(columns).find((name) => !/^[a-z][A-Za-z0-9]{0,29}$/.test(name) || ownColumns.has(name))
  if (bad !== undefined) return `has a column '${bad}'; expected letters and digits, and no name of the engine's own`
  if (key.length === 0 || key.some((name) => columns[name]!.type !== 'text')) return 'needs a key of columns of text'
  if (lists.some(({ by }) => by.some((name) => columns[name]!.type !== 'text')))
    return 'has a list by a column that is no text'
  const listsAll = newestBy === undefined || lists.at(-1)?.by.length === 0
  return listsAll ? undefined : 'has no list of all, { by: [] }, behind its other lists'
}

const wrongFollow = ({ follows }: Projection, all: readonly Projection[]): string | undefined => {
  if (follows === undefined) return undefined
  if (!all.includes(follows.projection)) return `follows '${follows.projection.name}', which is not there`
  return follows.projection.follows === undefined ? undefined : 'follows one that follows another'
}

const ownTables = new Set(['state', 'positions', 'skipped', 'shapes', 'file', 'layout'])
const ownColumns = new Set(['body', 'crc', 'at', 'count', 'n'])
