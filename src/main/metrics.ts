import type { Log } from '../log/index.ts'
import type { ProcessMemory } from './memory-limit.ts'
import type { CallCounts } from '../courier/index.ts'
import type { PassedOver, Unheard } from '../orchestrator/index.ts'
import type { RunningTask } from '../task/index.ts'
import type { Parts } from './stage.ts'

/** What log and tasks have done since the start, as Prometheus text. */
export const metricsText = ({ memory, log, system, operator, unheard }: Parts): string => {
  const lines = [...(memory === undefined ? [] : memoryLines(memory)), ...(log === undefined ? [] : logLines(log))]
  if (unheard !== undefined) lines.push(...unheardLines(unheard))
  lines.push(...taskLines(system), ...passedOverLines(system?.passedOver), ...callLines(system?.calls))
  return `${lines.join('\n')}\n${operator?.metrics() ?? ''}`
}

const taskLines = (system: Parts['system']): string[] => {
  const lines: string[] = []
  const perTask = [...(system?.runners ?? [])].flatMap(([component, runner]) =>
    [...runner.tasks].map(([place, task]) => ({ labels: `{component="${component}",task="${place}"}`, task }))
  )
  for (const name of ['rounds', 'inputs', 'events', 'snapshots', 'deadLetters', 'foreign'] as const) {
    lines.push(
      ...counter(
        `parcomolo_task_${snake(name)}`,
        perTask.map(({ labels, task }) => [labels, task.stats[name]])
      )
    )
  }
  lines.push('# TYPE parcomolo_task_entities gauge')
  for (const { labels, task } of perTask) lines.push(`parcomolo_task_entities${labels} ${task.entityCount}`)
  lines.push('# TYPE parcomolo_task_entities_asleep gauge')
  for (const { labels, task } of perTask) lines.push(`parcomolo_task_entities_asleep${labels} ${task.sleepingCount}`)
  return [...lines, ...waitingLines(perTask)]
}

/** What of its commands a task waits for, by inbox partition; and what begins later, for want of room there. */
const waitingLines = (perTask: readonly { readonly labels: string; readonly task: RunningTask }[]): string[] => {
  const loads = perTask.flatMap(({ labels, task }) =>
    [...(task.unanswered ?? [])].map(([inbox, load]) => ({ labels: `${labels.slice(0, -1)},inbox="${inbox}"}`, load }))
  )
  const waiting = perTask.filter(({ task }) => task.unanswered !== undefined)
  return [
    '# TYPE parcomolo_task_commands_unanswered gauge',
    ...loads.map(({ labels, load }) => `parcomolo_task_commands_unanswered${labels} ${load.count}`),
    '# TYPE parcomolo_task_commands_unread gauge',
    ...loads.map(({ labels, load }) => `parcomolo_task_commands_unread${labels} ${load.unreadCount}`),
    '# TYPE parcomolo_task_commands_window gauge',
    ...loads.map(({ labels, load }) => `parcomolo_task_commands_window${labels} ${Math.round(load.window.limit)}`),
    '# TYPE parcomolo_task_sagas_put_off gauge',
    ...waiting.map(({ labels, task }) => `parcomolo_task_sagas_put_off${labels} ${task.lanesPutOff}`)
  ]
}

/** Events that a saga has passed over, which all others have had. */
const passedOverLines = (passedOver: PassedOver | undefined): string[] =>
  counter(
    'parcomolo_saga_events_passed_over',
    [...(passedOver?.counts() ?? [])].map(({ saga, revision, reason, count }) => [
      `{saga="${saga}",revision="${revision}",reason="${reason}"}`,
      count
    ])
  )

/** Calls of participants over HTTP, by what came of them. */
const callLines = (calls: CallCounts | undefined): string[] =>
  counter(
    'parcomolo_courier_calls',
    (calls?.all() ?? []).map(({ participant, outcome, count }) => [
      `{participant="${participant}",outcome="${outcome}"}`,
      count
    ])
  )

/** Beside `process_resident_memory_bytes`, which is what the limit is held against. */
const memoryLines = ({ limitBytes, budget, living }: ProcessMemory): string[] => [
  '# TYPE parcomolo_memory_limit_bytes gauge',
  `parcomolo_memory_limit_bytes ${limitBytes}`,
  '# TYPE parcomolo_memory_budget_bytes gauge',
  `parcomolo_memory_budget_bytes ${budget.bytesMax + living.bytesMax}`,
  '# TYPE parcomolo_memory_held_bytes gauge',
  ...[...budget.holders, ...living.holders].map(
    ([name, { heldBytes }]) => `parcomolo_memory_held_bytes{holder="${name}"} ${Math.round(heldBytes)}`
  )
]

/** Answers of foreign participants that the orchestrator has passed over. */
const unheardLines = (unheard: Unheard): string[] =>
  counter(
    'parcomolo_saga_answers_passed_over',
    [...unheard.counts()].map(({ topic, reason, count }) => [`{topic="${topic}",reason="${reason}"}`, count])
  )

const logLines = (log: Log): string[] => [
  '# TYPE parcomolo_log_healthy gauge',
  `parcomolo_log_healthy ${log.health().ok ? 1 : 0}`,
  ...Object.entries(log.stats()).flatMap(([name, value]) => counter(`parcomolo_log_${snake(name)}`, [['', value]]))
]

const counter = (name: string, samples: readonly (readonly [labels: string, value: number])[]): string[] => [
  `# TYPE ${name}_total counter`,
  ...samples.map(([labels, value]) => `${name}_total${labels} ${value}`)
]

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
