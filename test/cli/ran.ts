import { EventEmitter } from 'node:events'
import type { Program } from '../../src/cli/command.ts'
import { run } from '../../src/cli/run.ts'
import { shopNames } from '../../src/shop/names.ts'

export type Result = { readonly code: number; readonly out: string[]; readonly err: string[] }

/** A part of the program that a test has no use for. */
export const notHere = async (): Promise<never> => {
  throw new TypeError('not here')
}

const nothing: Program = {
  reserved: shopNames,
  ...{ start: notHere, checkSettings: notHere, settings: notHere, deadLetters: notHere, acceptLoss: notHere },
  ...{ backup: notHere, restore: notHere, repair: notHere }
}

/** What a command line gives, with these parts of the program. */
export const ran = async (line: readonly string[], parts: Partial<Program>): Promise<Result> => {
  const [out, err]: [string[], string[]] = [[], []]
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    signals: new EventEmitter(),
    exit: () => undefined
  }
  return { code: await run(line, terminal, { ...nothing, ...parts }), out, err }
}
