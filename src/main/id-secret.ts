import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import type { Config } from '../config/index.ts'

type Settings = Pick<Config, 'idSecret' | 'kafkaBrokers' | 'dataFolder'>

const bytes = 32

/** In the data folder. */
export const idSecretFile = 'id-secret'

/**
 * What ids are made of Idempotency-Keys with. A repeat finds what the first request has made (an order, say) only while
 * that stays the same: so it is kept beside the embedded log, and on Kafka, where processes come and go, it is a
 * setting. Unset there, there is none, which is told once: rather an id that can be guessed than an order twice. So it
 * is with a log that was there before its secret. To be asked before the log is opened.
 *
 * Throws PARCOMOLO_MAIN_ID_SECRET_UNUSABLE where the file is none.
 */
export const idSecret = (
  { idSecret: set, kafkaBrokers, dataFolder }: Settings,
  warn: (text: string) => void
): Buffer | null => {
  if (set !== null) return Buffer.from(set)
  if (kafkaBrokers === null) return keptIn(dataFolder, warn)
  warn('PARCOMOLO_ID_SECRET is not set, so whoever guesses an Idempotency-Key knows the id of its order')
  return null
}

/** The data folder has one process at a time. */
const keptIn = (dataFolder: string, warn: (text: string) => void): Buffer | null => {
  const path = join(dataFolder, idSecretFile)
  const found = read(path)
  if (found !== undefined) return found
  if (existsSync(join(dataFolder, 'log'))) {
    write(path, withoutSecret)
    warn(
      `'${path}' is not there, and the log is: it is of an earlier release, or the file was lost; then restore it, or a ` +
        'repeat of an order is another one. Until then the ids of keyed orders are made as earlier releases made them'
    )
    return null
  }
  const made = randomBytes(bytes).toString('hex')
  write(path, made)
  return Buffer.from(made, 'hex')
}

/** In the place of a secret. */
const withoutSecret = 'none'

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}

const read = (path: string): Buffer | null | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(path, (error as Error).message, error)
  }
  if (text.trim() === withoutSecret) return null
  const found = Buffer.from(text.trim(), 'hex')
  if (found.length === bytes) return found
  throw unusable(path, `it holds ${text.length} characters, expected ${bytes * 2} hexadecimal digits`)
}

const unusable = (path: string, reason: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_ID_SECRET_UNUSABLE',
    `'${path}' cannot be used (${reason}); restore it, or write '${withoutSecret}' into it, after which no repeat finds an earlier order`,
    { cause }
  )
