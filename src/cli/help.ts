import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { paragraph } from './text.ts'

/** The commands come as a function because help is one of them. */
export const helpOn = (commands: () => readonly Command[]): Command => ({
  name: 'help',
  takes: '',
  summary: 'show this list',
  arguments: { min: 0, max: 0 },
  run: async ({ terminal }) => {
    terminal.out('Parcomolo runs declarative sagas.')
    terminal.out('')
    for (const command of commands()) {
      terminal.out(`  parcomolo ${usageOf(command)}`)
      for (const line of paragraph(command.summary, '      ')) terminal.out(line)
    }
    terminal.out('')
    terminal.out('Any command takes --verbose, which adds the stack to an error.')
    terminal.out("The environment configures it: 'parcomolo config' lists the variables.")
    return exitCode.done
  }
})

const usageOf = ({ name, takes, options }: Command): string =>
  [name, takes, ...Object.keys(options ?? {}).map((option) => `[--${option}]`)].filter((part) => part !== '').join(' ')
