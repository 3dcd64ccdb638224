import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import type { Config } from './config.ts'

type Settings = Pick<Config, 'idSecret' | 'kafkaBrokers' | 'dataFolder'>

const bytes = 32

/**
 * What the ids of orders with an Idempotency-Key are made with. A repeat finds its order only while that stays the
 * same: so it is kept beside the embedded log, and on Kafka, where processes come and go, it is a setting. Unset there,
 * there is none, which is told once: rather an id that can be guessed than an order twice.
 *
 * Throws PARCOMOLO_MAIN_ID_SECRET_UNUSABLE where the file is none.
 */
export const idSecret = (
  { idSecret: set, kafkaBrokers, dataFolder }: Settings,
  warn: (text: string) => void
): Buffer | null => {
  if (set !== null) return Buffer.from(set)
  if (kafkaBrokers === null) return keptIn(join(dataFolder, 'id-secret'))
  warn('PARCOMOLO_ID_SECRET is not set, so whoever guesses an Idempotency-Key knows the id of its order')
  return null
}

/** The data folder has one process at a time. */
const keptIn = (path: string): Buffer => {
  const found = read(path)
  if (found !== undefined) return found
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const made = randomBytes(bytes).toString('hex')
  writeFileSync(`${path}.new`, made, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  return Buffer.from(made, 'hex')
}

const read = (path: string): Buffer | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(path, (error as Error).message, error)
  }
  const found = Buffer.from(text.trim(), 'hex')
  if (found.length === bytes) return found
  throw unusable(path, `it holds ${text.length} characters, expected ${bytes * 2} hexadecimal digits`)
}

const unusable = (path: string, reason: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_ID_SECRET_UNUSABLE',
    `'${path}' cannot be used (${reason}); restore it, or delete it, after which no repeat finds an earlier order`,
    { cause }
  )
