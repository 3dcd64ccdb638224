import type { Page, PageRequest } from './store.ts'

/** What the adapters of the store have in common in their lists. */

/** One row more than asked for was read: it tells that there is a next page. */
export const pageOf = <T>(rows: readonly T[], page: PageRequest, markOf: (row: T) => Page<T>['next']): Page<T> => {
  if (rows.length <= page.limit) return { rows, next: undefined }
  const shown = rows.slice(0, page.limit)
  return { rows: shown, next: markOf(shown.at(-1)!) }
}
