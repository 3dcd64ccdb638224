/** Damage of `compacted.db` that was met while it was in use: noted beside it, for the next start to make it anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ParcomoloError } from '../../base/index.ts'

/** SQLITE_CORRUPT and SQLITE_NOTADB. https://sqlite.org/rescode.html */
export const isDamage = (error: unknown): boolean => {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && [11, 26].includes(code & 0xff)
}

/** Notes the damage where the disk takes it, and gives the error to throw. */
export const distrust = (dir: string, reason: string): ParcomoloError => {
  const file = join(dir, 'compacted.db')
  try {
    writeFileSync(distrustedPath(dir), `${reason}\n`, { flush: true, mode: 0o600 })
  } catch {
    // The next start looks over the whole file anyway.
  }
  return new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${file}' is damaged (${reason}); start again: what it keeps of journals is then made anew from them`,
    { details: { file } }
  )
}

export const distrustedPath = (dir: string): string => join(dir, 'compacted.distrusted')

/** What was found wrong in an earlier life. */
export const readDistrust = (dir: string): string | undefined => {
  try {
    return readFileSync(distrustedPath(dir), 'utf8').trim() || 'an earlier start has found it damaged'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
