import { parsePostgresUrl, type PostgresAddress, postgresUrlForm, shownPostgresUrl } from '../view/postgres/index.ts'
import type { Kind } from './setting.ts'

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
  shown: (text) => (sqlitePath(text) === undefined ? shownPostgresUrl(text) : text)
}

const sqlitePath = (text: string): string | undefined => /^sqlite:(.+)$/.exec(text)?.[1]
