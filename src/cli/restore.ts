import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'

export const restore: Command = {
  name: 'restore',
  takes: 'FOLDER',
  summary: 'make the data folder from a backup, checked; it must not be there yet',
  arguments: { min: 1, max: 1 },
  run: async ({ arguments: [from], terminal, program }) => {
    const { folder, bytes, records } = await program.restore(from!)
    terminal.out(`${folder} has ${records} records, ${bytes} bytes; the next start folds the read model anew`)
    return exitCode.done
  }
}
