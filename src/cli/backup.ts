import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'

export const backup: Command = {
  name: 'backup',
  takes: 'FOLDER',
  summary: 'copy the data folder into a new one, checked, also while it runs; the read model is left out',
  arguments: { min: 1, max: 1 },
  run: async ({ arguments: [to], terminal, program }) => {
    const { folder, bytes, records } = await program.backup(to!)
    terminal.out(`${folder} has a backup of ${records} records, ${bytes} bytes`)
    terminal.out(`'parcomolo restore ${folder}' takes it back; PARCOMOLO_DATA=${folder} starts on it`)
    return exitCode.done
  }
}
