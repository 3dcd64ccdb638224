#!/usr/bin/env node
import { type Program, type Terminal } from './command.ts'
import { exitCode } from './exit-code.ts'
import { lossy } from './lossy.ts'
import { whenOrphaned } from './orphan.ts'
import { run } from './run.ts'
import { shopNames } from '../shop/names.ts'

/** Node would open its inspector, which lets in whoever can reach it; who wants it starts with --inspect. */
process.on('SIGUSR1', () => undefined)

const terminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signals: process,
  exit: (code) => process.exit(code)
}

/** Loaded when a command asks for it: most need neither a server nor a log. What it writes is its user's alone. */
const main = () => {
  process.umask(0o077)
  return import('../main/index.ts')
}

const program: Program = {
  reserved: process.env['PARCOMOLO_APP'] === 'none' ? [] : shopNames,
  start: async (signal) => {
    whenOrphaned(() => process.emit('SIGTERM'))
    const { readConfig, start } = await main()
    return start(readConfig(process.env), { signal })
  },
  checkSettings: async () => void (await main()).readConfig(process.env),
  settings: async () => (await main()).settingsInUse(process.env),
  deadLetters: async () => {
    const { openDeadLetters, readConfig } = await main()
    return openDeadLetters(readConfig(process.env))
  },
  backup: async (to) => {
    const { backUp, readConfig } = await main()
    return backUp(readConfig(process.env), to)
  },
  restore: async (from) => {
    const { readConfig, restore } = await main()
    return restore(readConfig(process.env), from)
  },
  repair: async (acceptsLoss) => {
    const { readConfig, repair } = await main()
    return repair(readConfig(process.env), acceptsLoss)
  },
  acceptLoss: async (loss) => {
    const { acceptLoss, readConfig } = await main()
    return acceptLoss(readConfig(process.env), loss)
  }
}

const told = (what: string) => (lostCount: number, reason: string) => {
  const message = `${lostCount} lines on ${what} are lost, since they could not be written (${reason})`
  process.stderr.write(`${JSON.stringify({ level: 'warn', time: new Date().toISOString(), message, lostCount })}\n`)
}

const out = lossy(process.stdout, told('stdout'))
lossy(process.stderr, told('stderr'))

process.exitCode = await run(process.argv.slice(2), terminal, program)

// Whoever reads along may stop reading (`| head`): that is no failure. Results that a disk did not take are one.
process.once('exit', (code) => {
  const isService = process.argv[2] === 'start'
  if (code === exitCode.done && !isService && out.reason !== undefined && out.reason !== 'EPIPE')
    process.exitCode = exitCode.failed
})

/** What waits for a reader that stands still must not keep the process. */
const endMsMax = 2_000
setTimeout(() => {
  if (process.stdout.writableLength + process.stderr.writableLength > 0) process.exit()
}, endMsMax).unref()

// What a start that has failed still waits for must not keep the process.
if (process.exitCode !== 0) process.exit()
