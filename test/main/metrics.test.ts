import test from 'ava'
import { Budget } from '../../src/base/index.ts'
import type { Log, LogHealth } from '../../src/log/index.ts'
import { diskMetricsText } from '../../src/main/disk-metrics.ts'
import { metricsText } from '../../src/main/metrics.ts'
import type { System } from '../../src/main/system.ts'
import { PassedOver } from '../../src/orchestrator/index.ts'
import type { MessageInput } from '../../src/task/index.ts'

const logOf = (health: LogHealth): Log =>
  ({ health: () => health, stats: () => ({ fsyncs: 7, writtenBytes: 300 }) }) as unknown as Log

test('the log tells what it has done, and whether it is healthy', (t) => {
  const text = metricsText({ log: logOf({ ok: true }) })
  t.regex(text, /^# TYPE parcomolo_log_healthy gauge\nparcomolo_log_healthy 1$/m)
  t.regex(text, /^# TYPE parcomolo_log_written_bytes_total counter\nparcomolo_log_written_bytes_total 300$/m)
  const ill = metricsText({ log: logOf({ ok: false, code: 'PARCOMOLO_LOG_STALLED', message: 'no space left' }) })
  t.regex(ill, /^parcomolo_log_healthy 0$/m)
  t.regex(ill, /^parcomolo_log_fsyncs_total 7$/m)
})

test('each task tells what it has done', (t) => {
  const stats = { rounds: 1, inputs: 2, events: 3, snapshots: 4, deadLetters: 5, foreign: 7 }
  const tasks = new Map([['order-events/0', { stats, entityCount: 6 }]])
  const system = { runners: new Map([['order', { tasks }]]) } as unknown as System
  const text = metricsText({ log: logOf({ ok: true }), system })
  const labels = '{component="order",task="order-events/0"}'
  t.true(text.includes(`parcomolo_task_events_total${labels} 3\n`))
  t.true(text.includes(`parcomolo_task_dead_letters_total${labels} 5\n`))
  t.true(text.includes(`parcomolo_task_foreign_total${labels} 7\n`))
  t.true(text.includes(`parcomolo_task_entities${labels} 6\n`))
})

test('what a task waits for is told by inbox partition, and whether something begins later for it', (t) => {
  const stats = { rounds: 0, inputs: 0, events: 0, snapshots: 0, deadLetters: 0, foreign: 0 }
  const unanswered = new Map([
    ['payment-commands/1', { count: 30, unreadCount: 20, window: { limit: 512.4 }, isTold: true }]
  ])
  const tasks = new Map([['saga-events/1', { stats, entityCount: 0, unanswered, lanesPutOff: 2 }]])
  const text = metricsText({ system: { runners: new Map([['orchestrator', { tasks }]]) } as unknown as System })
  const task = 'component="orchestrator",task="saga-events/1"'
  t.true(text.includes(`parcomolo_task_commands_unanswered{${task},inbox="payment-commands/1"} 30\n`))
  t.true(text.includes(`parcomolo_task_commands_unread{${task},inbox="payment-commands/1"} 20\n`))
  t.true(text.includes(`parcomolo_task_commands_window{${task},inbox="payment-commands/1"} 512\n`))
  t.true(text.includes(`parcomolo_task_sagas_put_off{${task}} 2\n`))
})

test('what sagas have passed over is counted by saga, revision and reason', (t) => {
  const passedOver = new PassedOver({ onFailed: () => undefined, onUsed: () => undefined })
  const input = { type: 'OrderPlaced', topic: 'order-events', partition: 0, offset: 3 } as MessageInput
  for (const key of ['a', 'b']) passedOver.used({ name: 'order', revision: 'r1' }, key, input)
  const text = metricsText({ system: { runners: new Map(), passedOver } as unknown as System })
  const name = 'parcomolo_saga_events_passed_over_total'
  t.true(text.includes(`# TYPE ${name} counter\n${name}{saga="order",revision="r1",reason="key-used"} 2\n`))
})

test('the memory that the process may have is told, its budget, and what fills that', (t) => {
  const budget = new Budget(2048)
  budget.account('readers').hold(1000.5)
  budget.account('ranges')
  const living = new Budget(1024)
  living.account('entities').hold(6)
  const text = metricsText({ memory: { limitBytes: 4096, budget, living } })
  t.regex(text, /^# TYPE parcomolo_memory_limit_bytes gauge\nparcomolo_memory_limit_bytes 4096$/m)
  t.regex(text, /^parcomolo_memory_budget_bytes 3072$/m)
  const held = text.split('\n').filter((line) => line.startsWith('parcomolo_memory_held_bytes'))
  t.deepEqual(held, [
    'parcomolo_memory_held_bytes{holder="readers"} 1001',
    'parcomolo_memory_held_bytes{holder="ranges"} 0',
    'parcomolo_memory_held_bytes{holder="entities"} 6'
  ])
})

test('a process that has opened nothing yet has metrics all the same', (t) => {
  t.regex(metricsText({}), /^# TYPE parcomolo_task_rounds_total counter$/m)
})

test('disks are told of by topic and by volume, and nothing is where nobody tells of them', async (t) => {
  const topics = new Map([['order-events', 120]])
  const volumes = [{ node: 1, folder: '/var/lib/kafka', bytes: 1000, freeBytes: 400 }]
  const text = await diskMetricsText({ diskUsage: async () => ({ topics, volumes }) })
  t.regex(text, /^parcomolo_log_topic_bytes\{topic="order-events"\} 120$/m)
  t.regex(text, /^parcomolo_log_volume_bytes\{node="1",folder="\/var\/lib\/kafka"\} 1000$/m)
  t.regex(text, /^parcomolo_log_volume_free_bytes\{node="1",folder="\/var\/lib\/kafka"\} 400$/m)
  t.is(await diskMetricsText({}), '')
  t.is(await diskMetricsText({ diskUsage: () => Promise.reject(new Error('not authorized')) }), '')
})
