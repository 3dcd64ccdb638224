import { readFile, stat } from 'node:fs/promises'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import { type Clock, ParcomoloError, shownPath } from '../../base/index.ts'
import type { PostgresAddress, TlsFiles } from './address.ts'
import { gone, isAway, isMissing, refused, saidBy, unavailable } from './failure.ts'

export type Row = Readonly<Record<string, unknown>>

/** A statement within a transaction. */
export type Query = (text: string, values?: unknown[]) => Promise<readonly Row[]>

/** Times in ms. */
const limits = {
  connect: 5_000,
  /** A statement that takes longer is ended: there by the server, and here where no answer comes at all. */
  read: 10_000,
  write: 60_000,
  noAnswer: 5_000,
  /** How long a read is tried again while the database is away. */
  patience: 3_000,
  pause: 100,
  /** An absence that is shorter is nothing to tell of. */
  grace: 1_000,
  /** How often a database that is away is looked for. */
  probe: 1_000,
  close: 2_000
}
const readersMax = 8

/**
 * Connections to the database: several to read, one to write.
 *
 * D1. A fault of a connection never ends the process: whoever waits hears of it, and the next call takes another one.
 * D2. A database that is away for a moment is not noticed by reads. A write is not repeated here, as its outcome may
 *     not be known: whoever writes looks first what has come of it.
 * D3. While it is away it is looked for, so that `failure` ends by itself.
 */
export class Database {
  /** For messages: where it is, without who asks. */
  readonly name: string
  readonly #clock: Clock
  readonly #readers: Pool
  readonly #writer: Pool
  #away: { readonly since: number; readonly error: ParcomoloError } | undefined
  #cancelProbe: (() => void) | undefined
  #isClosed = false

  /** Connects to nothing yet. */
  static async of(address: PostgresAddress, clock: Clock): Promise<Database> {
    return new Database(address, await tlsOf(address), clock)
  }

  private constructor(address: PostgresAddress, ssl: PoolConfig['ssl'], clock: Clock) {
    this.name = nameOf(address)
    this.#clock = clock
    this.#readers = this.#pool({ ...configOf(address, limits.read), ssl, max: readersMax })
    this.#writer = this.#pool({ ...configOf(address, limits.write), ssl, max: 1 })
  }

  /** Why it does not answer at the moment. */
  failure(): ParcomoloError | undefined {
    const away = this.#away
    return away === undefined || this.#clock.now() - away.since < limits.grace ? undefined : away.error
  }

  async read(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    for (;;) {
      try {
        return await this.#query(this.#readers, text, values)
      } catch (error) {
        const { since } = this.#away ?? { since: 0 }
        if (!isAwayNow(error) || this.#isClosed || this.#clock.now() - since > limits.patience) throw error
      }
      await this.#pause(limits.pause)
    }
  }

  write(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#query(this.#writer, text, values)
  }

  /** Several statements that take effect together: all of them where `run` gives something, none where it does not. */
  transaction<T>(run: (query: Query) => Promise<T>): Promise<T> {
    return this.#watched(async () => {
      const client = await this.#writer.connect()
      return inTransaction(client, () => run(async (text, values) => (await client.query<Row>(text, values)).rows))
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelProbe?.()
    // What is still under way to a server that does not answer is not waited for.
    const ended = Promise.allSettled([this.#readers.end(), this.#writer.end()])
    const { promise: timeIsUp, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.at(this.#clock.now() + limits.close, resolve)
    await Promise.race([ended, timeIsUp])
    cancel()
  }

  async #query(pool: Pool, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#watched(async () => (await pool.query<Row>(text, [...values])).rows)
  }

  async #watched<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await call()
      this.#isBack()
      return result
    } catch (cause) {
      throw this.#noted(cause)
    }
  }

  #noted(cause: unknown): ParcomoloError {
    if (cause instanceof ParcomoloError) return cause
    if (isMissing(cause)) return gone(this.name, cause)
    const error = unavailable(this.name, cause)
    if (!isAway(cause)) this.#isBack()
    else if (!this.#isClosed) this.#isAway(error)
    return error
  }

  #isAway(error: ParcomoloError): void {
    this.#away = { since: this.#away?.since ?? this.#clock.now(), error }
    this.#cancelProbe ??= this.#clock.at(this.#clock.now() + limits.probe, () => {
      this.#cancelProbe = undefined
      this.#probe()
    })
  }

  /** What it finds is noted on the way. */
  #probe(): void {
    if (!this.#isClosed) this.#query(this.#readers, 'SELECT 1', []).catch(() => undefined)
  }

  #isBack(): void {
    this.#away = undefined
    this.#cancelProbe?.()
    this.#cancelProbe = undefined
  }

  #pool(config: PoolConfig): Pool {
    const pool = new Pool(config)
    // A connection that nobody uses has ended, which may be the server's end or a habit of what is in between.
    pool.on('error', () => this.#probe())
    return pool
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.at(this.#clock.now() + ms, resolve))
  }
}

const isAwayNow = (error: unknown): boolean => error instanceof ParcomoloError && isAway(error.cause)

const inTransaction = async <T>(client: PoolClient, run: () => Promise<T>): Promise<T> => {
  // A client that is in use tells of its end by an event as well, which would end the process if nobody listened.
  const ignore = (): void => undefined
  client.on('error', ignore)
  let isOver = false
  try {
    await client.query('BEGIN')
    const result = await run()
    await client.query(result === undefined ? 'ROLLBACK' : 'COMMIT')
    isOver = true
    return result
  } finally {
    client.removeListener('error', ignore)
    // A connection goes with a transaction that is not over.
    client.release(!isOver)
  }
}

const nameOf = ({ host, port, database }: PostgresAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`

const configOf = (address: PostgresAddress, statementMs: number): PoolConfig => {
  const { host, port, database, user, password, options } = address
  return {
    ...{ host, port, database, user, ...(password === undefined ? {} : { password }) },
    ...(options === undefined ? {} : { options }),
    application_name: 'parcomolo view',
    keepAlive: true,
    connectionTimeoutMillis: limits.connect,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: limits.read,
    query_timeout: statementMs + limits.noAnswer
  }
}

/** Whatever is no file is not opened: a pipe that nobody writes to would hold up the start and the stop. */
const readPem = async (path: string): Promise<string> => {
  if (!(await stat(path)).isFile()) throw new Error('it is no file')
  return readFile(path, 'utf8')
}

const tlsOf = async (address: PostgresAddress): Promise<PoolConfig['ssl']> => {
  const { tls } = address
  if (tls === 'disable') return false
  const pem = async (parameter: keyof TlsFiles): Promise<string | undefined> => {
    const path = address.files[parameter]
    if (path === undefined) return undefined
    return readPem(path).catch((cause: unknown) => {
      throw refused(
        nameOf(address),
        `the file '${shownPath(path)}' of its ${parameter} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? saidBy(cause)}`,
        cause
      )
    })
  }
  const [ca, cert, key] = [await pem('sslrootcert'), await pem('sslcert'), await pem('sslkey')]
  const own = cert === undefined || key === undefined ? {} : { cert, key }
  const options: ConnectionOptions = {
    ...own,
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: tls !== 'require',
    // By the name in the URL, which the client leaves out where it is an IP address.
    checkServerIdentity: (_, cert) => (tls === 'verify-full' ? checkServerIdentity(address.host, cert) : undefined)
  }
  return options
}
