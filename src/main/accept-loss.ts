import { ParcomoloError, systemClock } from '../base/index.ts'
import type { TopicRange } from '../log/index.ts'
import { applicationOf, type Config } from '../config/index.ts'
import { definitionsTopic } from '../orchestrator/index.ts'
import { boundedLog } from './bounded-log.ts'
import { openLog } from './open-log.ts'
import { journalsOf } from './system.ts'

/** What is decided about a topic, by whom and why. */
export type Loss = { readonly topic: string; readonly by: string; readonly reason: string }

/**
 * Notes in the log that what a topic has lost is lost, whereupon those who wait for it go on with what it has now, of
 * each partition what is returned. Rejects with PARCOMOLO_MAIN_LOSS_REFUSED for a log and a topic of which nothing may
 * be lost, and with PARCOMOLO_LOG_TOPIC_MISSING.
 */
export const acceptLoss = async (config: Config, { topic, by, reason }: Loss): Promise<readonly TopicRange[]> => {
  if (config.kafkaBrokers === null)
    throw refused(topic, 'the embedded log loses nothing by itself', 'KAFKA_BROKERS to name a Kafka cluster')
  if ([...journalsOf(applicationOf(config)), definitionsTopic].includes(topic))
    throw refused(
      topic,
      'it is state of Parcomolo itself',
      "a participant's inbox or events topic; restore it from a copy"
    )
  const log = await openLog(config)
  try {
    return await boundedLog(log, systemClock).acceptLoss(topic, by, reason)
  } finally {
    await log.close()
  }
}

const refused = (topic: string, why: string, expected: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_LOSS_REFUSED',
    `the loss of '${topic}' is not accepted: ${why}; expected ${expected}`
  )
