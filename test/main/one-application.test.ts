import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { agreeOnApplication } from '../../src/main/one-application.ts'
import { noApplication } from '../../src/application/index.ts'
import { type Flow, shop } from '../../src/shop/index.ts'
import { newFolder } from '../log/folder.ts'

const place = { topic: 'flow', partition: 0 }

const agreeOnFlow = (log: Log, flow: Flow | 'none', prefix: string): Promise<void> =>
  agreeOnApplication(log, flow === 'none' ? noApplication : shop(flow), prefix)

const opened = async (t: ExecutionContext): Promise<Log> => {
  const log = await openEmbeddedLog({ dir: join(newFolder(t), 'log') })
  t.teardown(() => log.close())
  return log
}

test('the first process says which flow it is, others agree, and one with another flow is refused', async (t) => {
  const log = await opened(t)
  for (let process = 0; process < 3; process++) await agreeOnFlow(log, 'choreography', 'shop-')
  t.is(await log.end(place), 1)
  const error = await t.throwsAsync(agreeOnFlow(log, 'orchestration', 'shop-'), { code: 'PARCOMOLO_MAIN_FLOW_MIXED' })
  t.is(
    error!.message,
    "FLOW is 'orchestration', but this installation runs as 'choreography'; expected the same in all processes with " +
      "one KAFKA_PREFIX; set it to 'choreography', or, to change it, end all processes and delete the topic 'shop-flow'"
  )
})

test('the engine alone and the shop are no one installation', async (t) => {
  const log = await opened(t)
  await agreeOnFlow(log, 'none', 'shop-')
  await agreeOnFlow(log, 'none', 'shop-')
  const code = 'PARCOMOLO_MAIN_FLOW_MIXED'
  const alone = await t.throwsAsync(agreeOnFlow(log, 'orchestration', 'shop-'), { code })
  t.regex(
    alone!.message,
    /^FLOW is 'orchestration', but this installation runs as 'none'; .* set PARCOMOLO_APP to 'none',/
  )
  const other = await opened(t)
  await agreeOnFlow(other, 'choreography', 'shop-')
  const bare = await t.throwsAsync(agreeOnFlow(other, 'none', 'shop-'), { code })
  t.regex(
    bare!.message,
    /^PARCOMOLO_APP is 'none', but .* as 'choreography'; .* set PARCOMOLO_APP to 'shop' and FLOW to 'choreography',/
  )
})

test('of processes that start at the same time, only those with one of the flows go on, and it stays so', async (t) => {
  const log = await opened(t)
  await log.ensureTopics([{ topic: 'flow', partitions: 1, cleanup: 'delete', retention: 'forever' }])
  const flows = ['orchestration', 'choreography', 'orchestration', 'choreography'] as const
  const agreed = async (): Promise<string[]> => {
    const outcomes = await Promise.allSettled(flows.map((flow) => agreeOnFlow(log, flow, 'shop-')))
    return outcomes.map(({ status }) => status)
  }
  const first = await agreed()
  t.deepEqual(first, ['fulfilled', 'rejected', 'fulfilled', 'rejected'])
  t.is(await log.end(place), 4, 'all have said theirs, as none had heard of the others')
  t.deepEqual(await agreed(), first)
})
