import { didYouMean, hidden, schemeAndHost, shownPath } from '../../base/index.ts'

/** Where the database is and how to get in, as a URL says it. */
export type PostgresAddress = {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Without one, the client takes PGPASSWORD or the file ~/.pgpass. */
  readonly password: string | undefined
  readonly tls: TlsMode
  readonly files: TlsFiles
  /** Where the tables are; the first of the user's search_path if undefined. */
  readonly schema: string | undefined
  /** Further options of the session, as `-c name=value`. */
  readonly options: string | undefined
}

/** As libpq names them; what it does of its own accord, such as to do without TLS if need be, there is not. */
const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const
type TlsMode = (typeof tlsModes)[number]

/** Paths of PEM files. */
export type TlsFiles = {
  readonly sslrootcert: string | undefined
  readonly sslcert: string | undefined
  readonly sslkey: string | undefined
}

const parameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'schema', 'options'] as const
type Parameters = { readonly [Name in (typeof parameters)[number]]?: string }

/** What `VIEW_DATABASE_URL` takes, as it stands in an error after "expected". */
export const postgresUrlForm = "'postgres://user:password@host:port/database'"

/** The address that a URL names; or, as a text, what is wrong with it, in which nothing is secret. */
export const parsePostgresUrl = (text: string): PostgresAddress | string => {
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text) : null
  if (url === null) return `it is no such URL; what is special in a password is written with '%', as '%40' for '@'`
  const found = addressIn(url)
  return found === undefined ? "it has a '%' that is not followed by two hexadecimal digits; write '%25' for it" : found
}

/** The URL with all that may be secret left out; where it is wrong, no more than scheme and host. */
export const shownPostgresUrl = (text: string): string => {
  // With an '@' behind the place, what stands before it may all be a password.
  const isClear = !/^\w+:\/\/[^/?#]*[/?#].*@/s.test(text)
  if (typeof parsePostgresUrl(text) === 'string' || !isClear) return schemeAndHost(text)
  const { protocol, username, password, host, pathname, searchParams } = new URL(text)
  const query = [...searchParams].map(([name, value]) => `${name}=${shownParameter(name, value)}`).join('&')
  const user = password === '' ? username : `${username}:${hidden}`
  return `${protocol}//${user}@${host}${pathname}${query === '' ? '' : `?${query}`}`
}

/** Options of a session may set anything. */
const shownParameter = (name: string, value: string): string =>
  name === 'options' ? hidden : name.startsWith('ssl') && name !== 'sslmode' ? shownPath(value) : value

const addressIn = (url: URL): PostgresAddress | string | undefined => {
  const place = [url.hostname, url.pathname.slice(1), url.username, url.password].map(decoded)
  if (place.includes(undefined)) return undefined
  const [host, database, user, password] = place as [string, string, string, string]
  const given = Object.fromEntries(url.searchParams) as Parameters
  const wrong = wrongPlace(host, database, user) ?? wrongParameter(given)
  if (wrong !== undefined) return wrong
  const { sslmode = 'disable', sslrootcert, sslcert, sslkey, schema, options } = given
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user,
    password: password === '' ? undefined : password,
    tls: sslmode as TlsMode,
    files: { sslrootcert, sslcert, sslkey },
    schema,
    options
  }
}

const wrongPlace = (host: string, database: string, user: string): string | undefined => {
  if (host === '') return 'it names no host'
  if (database === '' || database.includes('/')) return 'its path is not the name of a database'
  return user === '' ? 'it names no user' : undefined
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const wrongParameter = (given: Parameters): string | undefined => {
  const unknown = Object.keys(given).find((name) => !parameters.some((known) => known === name))
  if (unknown !== undefined) return `it has a parameter ${namedParameter(unknown)}${meant(unknown)}`
  return wrongTls(given) ?? (isSchema(given.schema ?? '_') ? undefined : wrongSchema)
}

const wrongTls = ({ sslmode: mode = 'disable', sslrootcert, sslcert, sslkey }: Parameters): string | undefined => {
  if (!tlsModes.some((known) => known === mode)) return `its sslmode is none of '${tlsModes.join("', '")}'`
  if (sslrootcert !== undefined && !mode.startsWith('verify'))
    return "it has 'sslrootcert', which is looked at with sslmode 'verify-ca' or 'verify-full' only"
  if ((sslcert === undefined) !== (sslkey === undefined))
    return "it has one of 'sslcert' and 'sslkey' without the other"
  return sslcert !== undefined && mode === 'disable'
    ? "it has 'sslcert' without TLS, which sslmode asks for"
    : undefined
}

const isSchema = (name: string): boolean => /^[a-z_][a-z0-9_]{0,62}$/.test(name)
const wrongSchema = "its schema is not made of small letters, digits and '_', at most 63 of them"

/** It may be the end of a password that has a '?' in it. */
const namedParameter = (name: string): string => (/^[a-z_]{1,32}$/.test(name) ? `'${name}'` : 'that is not known')

const meant = (name: string): string => {
  const found = didYouMean(name, parameters)
  return found === '' ? `; there are '${parameters.join("', '")}'` : found
}
