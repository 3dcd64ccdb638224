import { ParcomoloError, systemClock } from '../base/index.ts'
import type { Log, TopicSpec } from '../log/index.ts'
import type { Flow } from './flow.ts'

/**
 * Which flow an installation runs: the key of the first record. It is never deleted, so whoever reads it later finds
 * what the first process has found.
 */
export const flowTopic: TopicSpec = { topic: 'flow', partitions: 1, cleanup: 'delete', retention: 'forever' }

const place = { topic: flowTopic.topic, partition: 0 }

/** The flow of the shop; `none` where the engine runs alone. */
export type Settled = Flow | 'none'

/**
 * The processes of one installation have to run the same flow: where one reacts to an event that a saga sends a command
 * for, both would be done, or neither. Nothing else would notice, as each flow has reactions of its own on the same
 * topics. The first process of all says which it is, whoever is first in the log; rejects in a process with another.
 */
export const agreeOnFlow = async (log: Log, flow: Settled, prefix: string): Promise<void> => {
  await log.ensureTopics([flowTopic])
  if ((await log.end(place)) === 0) {
    await log.send([{ ...place, key: flow, value: null, timestamp: systemClock.now(), headers: {} }])
    await log.durable(place, 1)
  }
  for await (const [first] of log.read(place, 0, 1)) if (first!.key !== flow) throw mixed(first!.key, flow, prefix)
}

const mixed = (settled: string, flow: Settled, prefix: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_FLOW_MIXED',
    `${flow === 'none' ? 'PARCOMOLO_APP' : 'FLOW'} is '${flow}', but this installation runs as '${settled}'; expected ` +
      `the same in all processes with one KAFKA_PREFIX; set ${cureOf(settled, flow)}, or, to change it, end all ` +
      `processes and delete the topic '${prefix}${place.topic}'`
  )

const cureOf = (settled: string, flow: Settled): string => {
  if (settled === 'none') return "PARCOMOLO_APP to 'none'"
  return flow === 'none' ? `PARCOMOLO_APP to 'shop' and FLOW to '${settled}'` : `it to '${settled}'`
}
