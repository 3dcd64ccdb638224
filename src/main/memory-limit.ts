import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { Budget, budgetBytes, livingBytes } from '../base/index.ts'
import type { Config } from '../config/index.ts'

/**
 * What this process may have, the part of it that is shared by all who hold what they have read, and that for the
 * entities in memory.
 */
export type ProcessMemory = { readonly limitBytes: number; readonly budget: Budget; readonly living: Budget }

export const processMemory = ({ memoryBytes }: Pick<Config, 'memoryBytes'>): ProcessMemory => {
  const limitBytes = memoryBytes ?? memoryLimit()
  const heapBytes = getHeapStatistics().heap_size_limit
  return {
    limitBytes,
    budget: new Budget(budgetBytes(limitBytes, heapBytes)),
    living: new Budget(livingBytes(limitBytes, heapBytes))
  }
}

/** Where the limits of this process's memory may stand: its control group's and those around it, version 2 and 1. */
export const limitFiles = (ownGroups: string): string[] =>
  ownGroups.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) return []
    if (controllers === '') return groupsFrom(path).map((group) => join('/sys/fs/cgroup', group, 'memory.max'))
    if (!controllers!.split(',').includes('memory')) return []
    return groupsFrom(path).map((group) => join('/sys/fs/cgroup/memory', group, 'memory.limit_in_bytes'))
  })

/** The group and all around it; in a container its path may be that of the machine, and only `/` be there. */
const groupsFrom = (path: string): string[] => (path === '/' ? [path] : [path, ...groupsFrom(dirname(path))])

/** Version 2 says `max` where there is none, version 1 a number that no machine has. */
export const leastLimit = (texts: readonly (string | undefined)[], machineBytes: number): number | undefined => {
  const limits = texts.map((text) => Number(text?.trim() || Number.NaN)).filter((limit) => limit > 0)
  const least = Math.min(...limits)
  return least < machineBytes ? least : undefined
}

/** What the control group allows, else a quarter of the machine's. */
const memoryLimit = (): number => {
  const machineBytes = totalmem()
  const texts = limitFiles(textOf('/proc/self/cgroup') ?? '').map(textOf)
  return leastLimit(texts, machineBytes) ?? Math.floor(machineBytes / 4)
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
