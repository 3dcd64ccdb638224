import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'

export const repair: Command = {
  name: 'repair',
  takes: '',
  summary: 'tell what is damaged in the data folder; --accept-loss goes on without it',
  arguments: { min: 0, max: 0 },
  options: { 'accept-loss': { type: 'boolean' } },
  run: async ({ options, terminal, program }) => {
    const acceptsLoss = options['accept-loss'] === true
    const faults = await program.repair(acceptsLoss)
    for (const fault of faults) terminal.out(fault)
    if (faults.length === 0) terminal.err('Nothing was found that stands in the way of a start')
    else if (acceptsLoss) terminal.err('The next start goes on without it; orders that were in it are gone')
    else terminal.err("Nothing was changed; take a backup back, or 'parcomolo repair --accept-loss' goes on without it")
    return faults.length === 0 || acceptsLoss ? exitCode.done : exitCode.failed
  }
}
