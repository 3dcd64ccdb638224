import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import type { HttpEndpoint, HttpHeader } from '../contract/index.ts'

export type HeaderSources = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The folder of the files that secrets are in. */
  readonly secretsFolder: string | null
}

/**
 * The headers of a participant, as they are now: a secret that is renewed is sent with the next call. Rejects with
 * PARCOMOLO_COURIER_HEADER_MISSING, and never shows a value.
 */
export const headerValues = async (
  { headers }: HttpEndpoint,
  sources: HeaderSources
): Promise<Readonly<Record<string, string>>> => {
  const values: Record<string, string> = {}
  for (const header of headers) values[header.name] = await valueOf(header, sources)
  return values
}

const valueOf = async ({ name, source, text }: HttpHeader, sources: HeaderSources): Promise<string> => {
  if (source === 'value') return text
  const value = source === 'env' ? sources.environment[text] : await secretOf(text, sources.secretsFolder)
  if (value !== undefined && value !== '' && /^[\t -~]*$/.test(value)) return value
  const where = source === 'env' ? `the variable '${text}'` : `the file '${text}' in PARCOMOLO_COURIER_SECRETS`
  const problem =
    value === undefined || value === '' ? 'is not there, or empty' : 'has characters that no header may have'
  throw new ParcomoloError(
    'PARCOMOLO_COURIER_HEADER_MISSING',
    `header '${name}' has no value: ${where} ${problem}; expected visible ASCII characters`,
    { retryable: true }
  )
}

const secretOf = async (file: string, folder: string | null): Promise<string | undefined> => {
  if (folder === null) return undefined
  try {
    return (await readFile(join(folder, file), 'utf8')).trimEnd()
  } catch {
    return undefined
  }
}
