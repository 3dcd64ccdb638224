import { type Clock, partitionOf } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { OutgoingCommand } from '../http/index.ts'
import type { Log } from '../log/index.ts'
import { header } from '../task/index.ts'

/** Sends a person's command to an inbox as a CloudEvent; resolves when the log has taken it. */
export const commandSender =
  (log: Log, codec: Codec, clock: Clock) =>
  async ({ inbox, key, type, value, id, causationId }: OutgoingCommand): Promise<void> => {
    const headers = {
      [header.specVersion]: '1.0',
      [header.id]: id,
      [header.type]: type.slice(type.lastIndexOf('.') + 1),
      [header.source]: '/http',
      [header.subject]: key,
      [header.attempt]: '1',
      ...(causationId === undefined ? {} : { [header.causationId]: causationId })
    }
    const partition = partitionOf(key, log.partitionCount(inbox))
    await log.send([
      { topic: inbox, partition, key, value: codec.encode(type, value), timestamp: clock.now(), headers }
    ])
  }
