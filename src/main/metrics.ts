import type { Log } from '../log/index.ts'
import type { System } from './system.ts'

/** What log and tasks have done since the start, as Prometheus text. */
export const metricsText = (log: Log, system: System): string => {
  const lines: string[] = []
  for (const [name, value] of Object.entries(log.stats()))
    lines.push(...counter(`parcomolo_log_${snake(name)}`, [['', value]]))
  const perTask = [...system.runners].flatMap(([component, runner]) =>
    [...runner.tasks].map(([place, task]) => ({ labels: `{component="${component}",task="${place}"}`, task }))
  )
  for (const name of ['rounds', 'inputs', 'events', 'snapshots'] as const) {
    lines.push(
      ...counter(
        `parcomolo_task_${name}`,
        perTask.map(({ labels, task }) => [labels, task.stats[name]])
      )
    )
  }
  lines.push('# TYPE parcomolo_task_entities gauge')
  for (const { labels, task } of perTask) lines.push(`parcomolo_task_entities${labels} ${task.entityCount}`)
  return `${lines.join('\n')}\n`
}

const counter = (name: string, samples: readonly (readonly [labels: string, value: number])[]): string[] => [
  `# TYPE ${name}_total counter`,
  ...samples.map(([labels, value]) => `${name}_total${labels} ${value}`)
]

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
