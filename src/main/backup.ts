/** What can be done with a data folder as a whole. The read model is left out: it is folded anew. */
import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ParcomoloError } from '../base/index.ts'
import { copyEmbeddedLog, type Faults, repairEmbeddedLog } from '../log/embedded/index.ts'
import { openEmbeddedRegistry } from '../registry/embedded/index.ts'
import type { Config } from '../config/index.ts'
import { idSecretFile } from './id-secret.ts'

/** `records`: how many there are in all topics but the compacted ones. */
export type CopiedFolder = { readonly folder: string; readonly bytes: number; readonly records: number }

/** Also while a process works on the data folder. */
export const backUp = (config: Config, to: string): Promise<CopiedFolder> => copyFolder(dataFolderOf(config), to)

/** Starts on the copy from then on. */
export const restore = (config: Config, from: string): Promise<CopiedFolder> => copyFolder(from, dataFolderOf(config))

export const repair = async (config: Config, acceptsLoss: boolean): Promise<Faults> => {
  const folder = dataFolderOf(config)
  checkSource(folder)
  return repairEmbeddedLog(join(folder, 'log'), acceptsLoss)
}

/**
 * The log comes last to its name: a folder without it is no backup. Its schemas are those that were there when the log
 * had been copied, so none of it is without its own.
 */
const copyFolder = async (from: string, to: string): Promise<CopiedFolder> => {
  checkSource(from)
  checkTarget(to)
  const half = join(to, 'log.half')
  rmSync(half, { recursive: true, force: true })
  const { bytes, ends } = copyEmbeddedLog(join(from, 'log'), half)
  await copyRegistry(join(from, 'registry'), join(to, 'registry'))
  copyIdSecret(from, to)
  renameSync(half, join(to, 'log'))
  sync(to)
  return { folder: to, bytes, records: [...ends.values()].reduce((sum, end) => sum + end, 0) }
}

const copyRegistry = async (from: string, to: string): Promise<void> => {
  const [source, target] = [from, to].map((folder) => join(folder, 'schemas.json')) as [string, string]
  if (!existsSync(source)) return
  mkdirSync(to, { recursive: true, mode: 0o700 })
  copyFileSync(source, target)
  sync(target)
  sync(to)
  await (await openEmbeddedRegistry(to)).close()
}

/** A repeat of an order finds it by the same secret only. */
const copyIdSecret = (from: string, to: string): void => {
  const [source, target] = [join(from, idSecretFile), join(to, idSecretFile)]
  if (!existsSync(source)) return
  copyFileSync(source, target)
  sync(target)
}

const sync = (path: string): void => {
  const fd = openSync(path, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

const dataFolderOf = ({ kafkaBrokers, dataFolder }: Config): string => {
  if (kafkaBrokers === null) return dataFolder
  throw refused(`the log is on Kafka (KAFKA_BROKERS), and the data folder '${dataFolder}' has none of it`)
}

const checkSource = (folder: string): void => {
  if (!existsSync(join(folder, 'log')))
    throw refused(`'${resolve(folder)}' has no folder 'log'; expected a data folder, or a whole backup of one`)
}

const checkTarget = (folder: string): void => {
  const found = ['log', 'view.sqlite'].find((name) => existsSync(join(folder, name)))
  if (found === undefined) return
  throw refused(
    `'${resolve(folder)}' holds data already ('${found}'); expected a folder that is empty or not there; move it away`
  )
}

const refused = (message: string): ParcomoloError => new ParcomoloError('PARCOMOLO_MAIN_BACKUP_REFUSED', message)
