import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { decodeUtf8, ParcomoloError, type Utf8Fault } from '../base/index.ts'
import { limits } from './limits.ts'

/** More than the characters that a saga or a contract may have can ever be. */
const fileBytesMax = 4 * limits.fileCharsMax

const chunkBytes = 65_536

/** `takesPipes`: what comes through a pipe is taken too, however long that takes. */
export type ReadOptions = { readonly takesPipes?: boolean }

/**
 * The text of a file that people write. Links are followed; whatever is no file (a folder, a pipe, a device) is not
 * opened, since reading it may never end. Throws PARCOMOLO_FILE_UNREADABLE, with the reason in its details, and
 * PARCOMOLO_FILE_ENCODING with line and column.
 */
export const readTextFile = async (path: string, options?: ReadOptions): Promise<string> => {
  const text = decodeUtf8(await readFileBytes(path, options))
  if (typeof text !== 'string') throw encoded(path, text)
  return text
}

/** The same, whatever the bytes are. */
export const readFileBytes = (path: string, { takesPipes = false }: ReadOptions = {}): Promise<Buffer> =>
  (takesPipes ? readAny : readRegular)(path).catch((cause: unknown) => {
    if (cause instanceof ParcomoloError) throw cause
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw unreadable(path, code, 'a file that this process may read', cause)
  })

/** The names of the YAML files in a folder, in order; hidden ones are not for us. */
export const yamlNames = async (folder: string): Promise<string[]> => (await readdir(folder)).filter(isYamlName).sort()

export const isYamlName = (name: string): boolean => /\.ya?ml$/.test(name) && !name.startsWith('.')

const readRegular = async (path: string): Promise<Buffer> => {
  checkFile(path, await stat(path))
  // It may have become something else meanwhile: opening a pipe would wait for whoever writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    checkFile(path, await file.stat())
    return await readUpTo(path, file)
  } finally {
    await file.close()
  }
}

const readAny = async (path: string): Promise<Buffer> => {
  const file = await open(path)
  try {
    return await readUpTo(path, file)
  } finally {
    await file.close()
  }
}

const checkFile = (path: string, stats: Stats): void => {
  if (!stats.isFile()) throw unreadable(path, `it is ${kindOf(stats)}`, 'a file')
  if (stats.size > fileBytesMax) throw tooLarge(path, stats.size)
}

/** Its size is not to be relied on: it may grow, and some have none. */
const readUpTo = async (path: string, file: FileHandle): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for (let length = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null)
    if (bytesRead === 0) return Buffer.concat(chunks)
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > fileBytesMax) throw tooLarge(path, length)
  }
}

const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a named pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}

const tooLarge = (path: string, bytes: number): ParcomoloError =>
  unreadable(path, `it has ${bytes} bytes`, `at most ${fileBytesMax}`)

const unreadable = (path: string, reason: string, expected: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_FILE_UNREADABLE', `'${path}' cannot be read (${reason}); expected ${expected}`, {
    details: { reason },
    ...(cause === undefined ? {} : { cause })
  })

const encoded = (path: string, { line, column, byte }: Utf8Fault): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_FILE_ENCODING',
    `${path}:${line}:${column} the byte 0x${byte.toString(16)} is no UTF-8; save the file in UTF-8`,
    { details: { file: path, line, column } }
  )
