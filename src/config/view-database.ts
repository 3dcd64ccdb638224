import { hidden } from '../base/index.ts'
import { parsePostgresUrl, type PostgresAddress, postgresUrlForm, shownPostgresUrl } from '../view/postgres/index.ts'
import type { Kind } from '../application/index.ts'

/** Where the read model is kept. */
export type ViewDatabase = { readonly sqlite: string } | { readonly postgres: PostgresAddress }

export const viewDatabase: Kind<ViewDatabase> = {
  expected: `'sqlite:' and the path of a file, or ${postgresUrlForm}`,
  parse: (text) => {
    const path = sqlitePath(text)
    if (path !== undefined) return { sqlite: path }
    const postgres = parsePostgresUrl(text)
    return typeof postgres === 'string' ? undefined : { postgres }
  },
  meant: (text) => {
    const wrong = text.startsWith('postgres') ? parsePostgresUrl(text) : ''
    return typeof wrong !== 'string' || wrong === '' ? '' : `; ${wrong}`
  },
  shown: (text) => {
    const path = sqlitePath(text)
    if (path === undefined) return shownPostgresUrl(text)
    return /^\.{0,2}\/|^[^@:?]*$/.test(path) ? text : `sqlite:${hidden}`
  }
}

/** `sqlite://host` is an address, and no path: what stands there may be a user and a password. */
const sqlitePath = (text: string): string | undefined => /^sqlite:((?!\/\/[^/]).+)$/s.exec(text)?.[1]
