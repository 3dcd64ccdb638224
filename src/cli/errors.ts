import { didYouMean, type ErrorCode, errorCodes, ParcomoloError } from '../base/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { paragraph } from './text.ts'

export const errors: Command = {
  name: 'errors',
  takes: '[CODE…]',
  summary: 'explain what an error code means and what to do about it; without a code, all of them',
  arguments: { min: 0, max: Number.POSITIVE_INFINITY },
  run: async ({ arguments: codes, terminal }) => {
    const listed = codes.length === 0 ? (Object.keys(errorCodes) as ErrorCode[]) : codes.map(known)
    for (const line of listed.flatMap(explanation)) terminal.out(line)
    return exitCode.done
  }
}

const known = (code: string): ErrorCode => {
  if (Object.hasOwn(errorCodes, code)) return code as ErrorCode
  const hint = didYouMean(code, Object.keys(errorCodes)) || "; 'parcomolo errors' lists them all"
  throw new ParcomoloError('PARCOMOLO_CLI_USAGE', `no error has the code '${code}'${hint}`)
}

const explanation = (code: ErrorCode): string[] => {
  const { cause, remedy } = errorCodes[code]
  return [code, ...paragraph(cause, '    '), ...paragraph(remedy, ' -> ')]
}
