import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { paragraph } from './text.ts'

export const config: Command = {
  name: 'config',
  takes: '',
  summary: 'list every variable of the environment with its value, and check them all',
  arguments: { min: 0, max: 0 },
  run: async ({ terminal, program }) => {
    for (const { name, value, isSet, meaning } of await program.settings()) {
      terminal.out(`${name}=${value}${isSet ? '   (set)' : ''}`)
      for (const line of paragraph(meaning, '    ')) terminal.out(line)
    }
    await program.checkSettings()
    return exitCode.done
  }
}
