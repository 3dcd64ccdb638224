import { readFileSync } from 'node:fs'

const checkEveryMs = 200

/**
 * Calls once when npm, which runs this process, is gone. Whoever kills npm hard, or by a signal that its shell keeps
 * for itself, means this process; it would live on unseen, with the port and the data folder.
 */
export const whenOrphaned = (call: () => void): void => {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const born = ancestors()
  const timer = setInterval(() => {
    if (ancestors() === born) return
    clearInterval(timer)
    call()
  }, checkEveryMs)
  timer.unref()
}

/** The parent and its parent: npm starts a shell, and not every shell lets the command take its place. */
const ancestors = (): string => `${process.ppid} ${parentOf(process.ppid)}`

/**
 * Undefined where the system does not tell. The name of the command, in brackets, may hold spaces and brackets itself.
 */
const parentOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  } catch {
    return undefined
  }
}
