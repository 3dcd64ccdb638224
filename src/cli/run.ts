import { parseArgs, type ParseArgsConfig } from 'node:util'
import { didYouMean, isParcomoloError, ParcomoloError } from '../base/index.ts'
import { acceptLoss } from './accept-loss.ts'
import { backup } from './backup.ts'
import { type Command, type Program, type Terminal } from './command.ts'
import { config } from './config.ts'
import { deadLetters } from './dead-letters.ts'
import { errors } from './errors.ts'
import { exitCodeOf } from './exit-code.ts'
import { generate } from './generate.ts'
import { graph } from './graph.ts'
import { helpOn } from './help.ts'
import { repair } from './repair.ts'
import { restore } from './restore.ts'
import { start } from './start.ts'
import { verify } from './verify.ts'

/** Runs one command line and gives the exit code. Nothing that a command throws gets past it. */
export const run = async (line: readonly string[], terminal: Terminal, program: Program): Promise<number> => {
  try {
    const [word = 'help', ...rest] = line
    return await commandNamed(word).run({ ...argumentsOf(commandNamed(word), rest), terminal, program })
  } catch (error) {
    tell(error, terminal, line.includes('--verbose'))
    return exitCodeOf(error)
  }
}

const commands: readonly Command[] = [
  start,
  verify,
  graph,
  deadLetters,
  backup,
  restore,
  repair,
  acceptLoss,
  generate,
  config,
  errors,
  helpOn(() => commands)
]

/** `--help` and `-h` are what people try first. */
const commandNamed = (word: string): Command => {
  const wanted = word === '--help' || word === '-h' ? 'help' : word
  const found = commands.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  const names = commands.map(({ name }) => name)
  const hint = didYouMean(word, names) || `; expected one of ${names.join(', ')}`
  throw new ParcomoloError('PARCOMOLO_CLI_USAGE', `there is no command '${word}'${hint}`)
}

const argumentsOf = (
  command: Command,
  rest: readonly string[]
): { arguments: readonly string[]; options: Readonly<Record<string, string | boolean | undefined>> } => {
  const options = { ...command.options, verbose: { type: 'boolean' } } as const satisfies ParseArgsConfig['options']
  const { values, positionals } = parsed(() =>
    parseArgs({ args: [...rest], options, allowPositionals: true, strict: true })
  )
  const { min, max } = command.arguments
  if (positionals.length < min || positionals.length > max) {
    const given = positionals.length === 0 ? 'none' : positionals.map((text) => `'${text}'`).join(' ')
    const wanted = command.takes === '' ? 'no arguments' : command.takes
    throw new ParcomoloError('PARCOMOLO_CLI_USAGE', `${command.name} takes ${wanted}, and was given ${given}`)
  }
  return { arguments: positionals, options: values as Readonly<Record<string, string | boolean | undefined>> }
}

/** Node's own words name the option; its advice on how to pass it as an argument all the same only confuses. */
const parsed = <T>(parse: () => T): T => {
  try {
    return parse()
  } catch (cause) {
    const said = (cause as Error).message.split(/\. |\n/)[0]!
    throw new ParcomoloError('PARCOMOLO_CLI_USAGE', `${said}; 'parcomolo help' lists what there is`, { cause })
  }
}

const tell = (error: unknown, terminal: Terminal, isVerbose: boolean): void => {
  const isOurs = isParcomoloError(error)
  const code = isOurs ? error.code : 'PARCOMOLO_CLI_DEFECT'
  const message = error instanceof Error ? error.message : String(error)
  const hint = isOurs ? '' : '; run it again with --verbose, and report what it prints'
  for (const line of `${message}${hint}`.split('\n')) terminal.err(`${code}: ${line}`)
  if (isVerbose && error instanceof Error) terminal.err(stackOf(error))
}

const stackOf = (error: Error): string => {
  const stack = error.stack ?? error.message
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack
}
