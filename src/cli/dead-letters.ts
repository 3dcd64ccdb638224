import { didYouMean, ParcomoloError } from '../base/index.ts'
import { type Call, type Command } from './command.ts'
import { type DeadLetter, type DeadLetters, type DeadRecord, type Resending } from './dead-letter.ts'
import { exitCode } from './exit-code.ts'
import { printable } from './text.ts'

export const deadLetters: Command = {
  name: 'dead-letters',
  takes: 'list | show N | resend N…',
  summary:
    'list the newest records that could not be read (--limit 50), show one, or send them back: those that are named, or --all',
  arguments: { min: 0, max: Number.POSITIVE_INFINITY },
  options: { limit: { type: 'string' }, all: { type: 'boolean' } },
  run: async (call) => {
    const act = actionOf(call)
    const letters = await call.program.deadLetters()
    try {
      if (letters.warning !== undefined) call.terminal.err(letters.warning)
      await act(letters)
    } finally {
      await letters.close()
    }
    return exitCode.done
  }
}

type Action = (letters: DeadLetters) => Promise<void>

/** Everything that is wrong with the line is told before the log is opened. */
const actionOf = (call: Call): Action => {
  const [word = 'list', ...rest] = call.arguments
  checkOptions(call, word)
  switch (word) {
    case 'list':
      if (rest.length > 0) throw usage(`dead-letters list takes no numbers, and was given '${rest.join(' ')}'`)
      return list(call, limitOf(call))
    case 'show':
      if (rest.length !== 1) throw usage('dead-letters show takes one number')
      return show(call, numberOf(rest[0]!))
    case 'resend':
      return resend(call, wantedOf(call, rest))
    default: {
      const words = ['list', 'show', 'resend']
      const hint = didYouMean(word, words) || `; expected one of ${words.join(', ')}`
      throw usage(`dead-letters cannot '${word}'${hint}`)
    }
  }
}

const optionsOf: Readonly<Record<string, readonly string[]>> = { list: ['limit'], resend: ['all'] }

const checkOptions = ({ options }: Call, word: string): void => {
  const wrong = ['limit', 'all'].find((name) => options[name] !== undefined && !optionsOf[word]?.includes(name))
  if (wrong !== undefined) throw usage(`dead-letters ${word} takes no option '--${wrong}'`)
}

const limitStandard = 50

const limitOf = ({ options }: Call): number => {
  const { limit } = options
  if (limit === undefined) return limitStandard
  if (/^[1-9]\d{0,8}$/.test(String(limit))) return Number(limit)
  throw usage(`--limit is '${String(limit)}'; expected a whole number from 1`)
}

const numberOf = (text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw usage(`'${text}' is no number of a dead letter; expected one that 'parcomolo dead-letters list' shows`)
}

const wantedOf = ({ options }: Call, numbers: readonly string[]): readonly number[] | 'all' => {
  const all = options['all'] === true
  if (all !== numbers.length > 0) return all ? 'all' : numbers.map(numberOf)
  throw usage('dead-letters resend takes numbers, or --all, and not both')
}

const list =
  ({ terminal }: Call, limit: number): Action =>
  async (deadLetters) => {
    const { letters, unread } = await deadLetters.list()
    for (const letter of letters.slice(-limit)) terminal.out(lineOf(letter))
    if (letters.length === 0) terminal.err('There are no dead letters')
    const older = letters.length - limit
    if (older > 0) terminal.err(`${older} older ones are not shown; --limit ${letters.length} shows all`)
    if (unread > 0) terminal.err(`${unread} still older records of the topic were not looked at`)
  }

const lineOf = ({ offset, at, origin, component, type = '-', code, reason, resentAt }: DeadLetter): string => {
  const resent = resentAt === undefined ? '' : `  (resent ${resentAt})`
  return printable(`${offset}  ${at}  ${origin}  ${component}  ${type}  ${code}: ${reason}${resent}`)
}

const show =
  ({ terminal }: Call, offset: number): Action =>
  async (deadLetters) => {
    const { letter, record } = await deadLetters.show(offset)
    for (const [name, value] of factsOf(letter, record)) terminal.out(printable(`${name.padEnd(10)} ${value}`))
    for (const [name, value] of Object.entries(record.headers)) terminal.out(printable(`  ${name}: ${value}`))
    terminal.out(printable(valueOf(letter, record)))
  }

const factsOf = (letter: DeadLetter, record: DeadRecord): [name: string, value: string][] => [
  ['letter', String(letter.offset)],
  ['origin', letter.origin],
  ['component', letter.component],
  ['at', letter.at],
  ['code', letter.code],
  ['reason', letter.reason],
  ['resent', letter.resentAt ?? 'never'],
  ['key', record.key],
  ['timestamp', timeOf(record.timestamp)],
  ['headers', Object.keys(record.headers).length === 0 ? 'none' : '']
]

/** What a foreign clock has written may lie outside of all dates. */
const timeOf = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))

const hexBytesMax = 2048

const valueOf = ({ omitted }: DeadLetter, { value, decoded }: DeadRecord): string => {
  if (omitted !== undefined) return `value      ${omitted} bytes, which were too many to be kept`
  if (value === null) return 'value      none'
  if (decoded !== undefined) return `value      ${decoded.type} ${JSON.stringify(decoded.value, shown)}`
  const more = value.length > hexBytesMax ? '…' : ''
  return `value      ${value.length} bytes ${hexOf(value.subarray(0, hexBytesMax))}${more}`
}

/** By the member itself: of bytes, `value` is what Buffer makes of them for JSON. */
function shown(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const member = this[name]
  return member instanceof Uint8Array ? hexOf(member) : value
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const resend =
  ({ terminal }: Call, wanted: readonly number[] | 'all'): Action =>
  async (deadLetters) => {
    const resendings = await deadLetters.resend(wanted)
    for (const resending of resendings) terminal.out(printable(sentence(resending)))
    if (resendings.length === 0) terminal.err('There is no dead letter that was not sent back before')
  }

const sentence = (resending: Resending): string => {
  const { offset, origin, type = 'record' } = resending.letter
  const what = `${offset}  ${type} of ${origin}`
  return 'to' in resending ? `${what} was sent to ${resending.to}` : `${what} stays: ${resending.staysFor}`
}

const usage = (message: string): ParcomoloError => new ParcomoloError('PARCOMOLO_CLI_USAGE', message)
