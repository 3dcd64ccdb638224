import type { Page, PageRequest } from './store.ts'

/** What the adapters of the store have in common in their lists. */

/** The status that nearly all rows have in the end; it has no index of its own: whoever lists it finds it by time. */
export const usualEnd = { orders: 'COMPLETED', sagas: 'completed' } as const

/** One row more than asked for was read: it tells that there is a next page. */
export const pageOf = <T>(rows: readonly T[], page: PageRequest, markOf: (row: T) => Page<T>['next']): Page<T> => {
  if (rows.length <= page.limit) return { rows, next: undefined }
  const shown = rows.slice(0, page.limit)
  return { rows: shown, next: markOf(shown.at(-1)!) }
}
