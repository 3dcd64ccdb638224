/** The component in a process of its own; it is told what to do, and tells what it did, by messages. */
import type { TaskLimits } from '../../src/task/index.ts'
import { now, openParts, type Place, runOrders } from './restart-parts.ts'

export type Told = { readonly place: Place; readonly limits: Partial<TaskLimits> }

export type Said =
  | { readonly kind: 'running'; readonly calledAt: number }
  | { readonly kind: 'ready'; readonly at: number }
  | ({ readonly kind: 'report' } & Report)

export type Report = {
  readonly entities: number
  readonly snapshots: number
  readonly fetchedBytes: number
  readonly fetchRequests: number
  /** The most that it has had at any time. */
  readonly residentBytes: number
  readonly cpuSeconds: number
}

const say = (said: Said): void => void process.send!(said)

const fail = (error: unknown): never => {
  console.error(error)
  process.exit(1)
}

const main = async (): Promise<void> => {
  const { place, limits } = JSON.parse(process.argv[2]!) as Told
  const parts = await openParts(place, 'order')
  say({ kind: 'running', calledAt: now() })
  const runner = runOrders(parts, limits, fail)
  process.on('message', (told: 'report' | 'stop') => {
    if (told === 'report') return say(report())
    const stop = async (): Promise<void> => {
      await runner.stop()
      await parts.log.close()
      process.disconnect()
    }
    stop().catch(fail)
  })
  const report = (): Said => {
    const tasks = [...runner.tasks.values()]
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
    const { fetchedBytes = 0, fetchRequests = 0 } = parts.log.stats()
    const { user, system } = process.cpuUsage()
    return {
      kind: 'report',
      entities: sum(tasks.map(({ entityCount }) => entityCount)),
      snapshots: sum(tasks.map(({ stats }) => stats.snapshots)),
      ...{ fetchedBytes, fetchRequests },
      residentBytes: process.resourceUsage().maxRSS * 1024,
      cpuSeconds: (user + system) / 1e6
    }
  }
  await runner.ready
  say({ kind: 'ready', at: now() })
}

// Nobody is left to stop it.
process.once('disconnect', () => process.exit())
main().catch(fail)
