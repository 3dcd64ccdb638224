import type { ViewStore } from '../store.ts'
import type { PostgresStoreOptions } from './store.ts'

export { parsePostgresUrl, type PostgresAddress, postgresUrlForm, shownPostgresUrl } from './address.ts'

/**
 * Waits for the database, and gives the store in it. The client is loaded only where it is used, since a start on a
 * laptop should not wait for it.
 */
export const openPostgresViewStore = async (options: PostgresStoreOptions): Promise<ViewStore> => {
  const { openStore } = await import('./store.ts')
  return openStore(options)
}
