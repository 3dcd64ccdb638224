import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { RouteDeps } from './deps.ts'
import { RequestStats } from './request-stats.ts'

export type Metrics = {
  readonly contentType: string
  readonly requests: RequestStats
  text(): Promise<string>
}

/** The process's metrics, those of requests, and what the other rooms add: into the registry, or as text. */
export const makeMetrics = (
  add: (registry: Registry) => void,
  text: () => Promise<string> | string = () => ''
): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 })
  add(registry)
  const requests = new RequestStats()
  return {
    contentType: registry.contentType,
    requests,
    text: async () => {
      const parts = [await registry.metrics(), requests.text(), await text()]
      return parts.filter((part) => part !== '').join('\n')
    }
  }
}

/** Of the read model, and of the commands on their way to the log. */
export const viewMetrics = (registry: Registry, { view, commands, admission }: RouteDeps): void => {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      }
    })
  }
  gauge('parcomolo_http_commands_in_flight', 'Commands on their way to the log', () => commands.inFlightCount)
  gauge('parcomolo_http_orders_in_work', 'Orders in work, as admission counts them', () => admission.inWork)
  gauge('parcomolo_http_orders_in_work_limit', 'As many may be in work at the moment', () => admission.inWorkMax)
  gauge('parcomolo_view_waiters', 'Requests that wait for the read model', () => view.health().waiterCount)
  gauge('parcomolo_view_skipped_records', 'Records that could not be decoded', () => view.health().skippedCount)
  gauge('parcomolo_view_changed_rows', 'Rows that are not in the store yet', () => view.health().changedRowCount)
  const space = (name: string, help: string, member: 'bytes' | 'freeBytes'): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const found = view.health().space?.[member]
        if (found !== undefined) this.set(found)
      }
    })
  }
  space('parcomolo_view_store_bytes', "The read model's file, with what is not merged into it yet", 'bytes')
  space('parcomolo_view_volume_free_bytes', "What is free on the volume of the read model's file", 'freeBytes')
  new Gauge({
    name: 'parcomolo_view_position',
    help: 'The offset that the read model folds next',
    labelNames: ['place'],
    registers,
    collect() {
      for (const [place, next] of Object.entries(view.health().positions)) this.set({ place }, next)
    }
  })
}
