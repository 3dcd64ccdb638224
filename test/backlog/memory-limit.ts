import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * The file of a control group of the kernel that takes in a process by its id, and holds it to so many bytes of memory
 * as Kubernetes does; undefined where this machine lets us make none. The group ends with `resources`.
 */
export const limitMemory = (resources: AsyncDisposableStack, name: string, bytes: number): string | undefined => {
  for (const { root, needs, limits } of hierarchies) {
    if (!needs(root)) continue
    const folder = join(root, name)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    resources.defer(() => remove(folder))
    const isHeld = limits.every(({ file, value, isOptional }) => {
      try {
        writeFileSync(join(folder, file), String(value ?? bytes))
        return true
      } catch {
        return isOptional === true
      }
    })
    if (isHeld) return join(folder, 'cgroup.procs')
  }
  return undefined
}

type Limit = { readonly file: string; readonly value?: number; readonly isOptional?: boolean }

type Hierarchy = {
  readonly root: string
  readonly needs: (root: string) => boolean
  readonly limits: readonly Limit[]
}

/** Version 2 and version 1; a machine may have both, and then one of them has the memory. */
const hierarchies: readonly Hierarchy[] = [
  {
    root: '/sys/fs/cgroup',
    needs: (root) => hasWord(join(root, 'cgroup.subtree_control'), 'memory'),
    limits: [{ file: 'memory.max' }, { file: 'memory.swap.max', value: 0, isOptional: true }]
  },
  {
    root: '/sys/fs/cgroup/memory',
    needs: (root) => existsSync(join(root, 'memory.limit_in_bytes')),
    limits: [{ file: 'memory.limit_in_bytes' }, { file: 'memory.swappiness', value: 0, isOptional: true }]
  }
]

const hasWord = (file: string, word: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8').split(/\s/).includes(word)

/** A group is busy for a moment after its last process. */
const remove = async (folder: string): Promise<void> => {
  for (let left = 20; ; left--) {
    try {
      return rmdirSync(folder)
    } catch (error) {
      if (left === 0) throw error
    }
    await wait(100)
  }
}
