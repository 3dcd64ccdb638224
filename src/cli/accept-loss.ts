import { userInfo } from 'node:os'
import { ParcomoloError } from '../base/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'

export const acceptLoss: Command = {
  name: 'accept-loss',
  takes: 'TOPIC',
  summary:
    'go on with a topic on Kafka that has lost records before they were read, or was made anew (--reason WHY, --by WHO)',
  arguments: { min: 1, max: 1 },
  options: { reason: { type: 'string' }, by: { type: 'string' } },
  run: async ({ arguments: [topic], options, terminal, program }) => {
    const { reason, by = userName() } = options
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new ParcomoloError(
        'PARCOMOLO_CLI_USAGE',
        'accept-loss needs --reason WHY, as the decision is noted in the log for ever'
      )
    const partitions = await program.acceptLoss({ topic: topic!, by: String(by), reason })
    for (const [partition, { start, end }] of partitions.entries())
      terminal.out(
        `${topic}/${partition}  has ${start} to ${end}; who has lost what they were to read goes on at ${start}`
      )
    return exitCode.done
  }
}

/** An account without a name, as containers have it, is known by its number. */
const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}
