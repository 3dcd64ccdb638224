import { type Application, type Variant } from '../application/index.ts'
import { ParcomoloError, systemClock } from '../base/index.ts'
import type { Log, TopicSpec } from '../log/index.ts'
import { everyApplication } from '../config/index.ts'

/**
 * What an installation runs: the key of the first record. It is never deleted, so whoever reads it later finds what the
 * first process has found. The topic is called after the shop's variants, which were there before other applications.
 */
export const oneTopic: TopicSpec = { topic: 'flow', partitions: 1, cleanup: 'delete', retention: 'forever' }

const place = { topic: oneTopic.topic, partition: 0 }

type Running = Pick<Application, 'name' | 'variant'>

/**
 * The processes of one installation have to run the same application in the same variant: where one reacts to an event
 * that a saga sends a command for, both would be done, or neither. Nothing else would notice, as each variant has
 * reactions of its own on the same topics. The first process of all says which it is, whoever is first in the log;
 * rejects in a process with another.
 */
export const agreeOnApplication = async (log: Log, running: Running, prefix: string): Promise<void> => {
  await log.ensureTopics([oneTopic])
  const key = keyOf(running)
  if ((await log.end(place)) === 0) {
    await log.send([{ ...place, key, value: null, timestamp: systemClock.now(), headers: {} }])
    await log.durable(place, 1)
  }
  for await (const [first] of log.read(place, 0, 1)) if (first!.key !== key) throw mixed(first!.key, running, prefix)
}

/** Of the variant, whose values no two applications share. */
const keyOf = ({ name, variant }: Running): string => variant?.value ?? name

const mixed = (settled: string, running: Running, prefix: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_FLOW_MIXED',
    `${running.variant?.setting ?? 'PARCOMOLO_APP'} is '${keyOf(running)}', but this installation runs as ` +
      `'${settled}'; expected the same in all processes with one KAFKA_PREFIX; set ${cureOf(settled, running)}, or, to ` +
      `change it, end all processes and delete the topic '${prefix}${place.topic}'`
  )

const cureOf = (settled: string, running: Running): string => {
  const wanted = everyApplication.find((one) => keyOf(one) === settled)
  if (wanted === undefined) return `it to '${settled}'`
  if (wanted.name === running.name) return `it to '${settled}'`
  return `PARCOMOLO_APP to '${wanted.name}'${withVariant(wanted.variant)}`
}

const withVariant = (variant: Variant | undefined): string =>
  variant === undefined ? '' : ` and ${variant.setting} to '${variant.value}'`
