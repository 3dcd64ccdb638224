#!/usr/bin/env node
import { type Program, type Terminal } from './command.ts'
import { whenOrphaned } from './orphan.ts'
import { run } from './run.ts'

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

// Whoever reads along may stop reading (`| head`): that is no reason to stop, nor to complain.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(process.argv.slice(2), terminal, program)
// What a start that has failed still waits for must not keep the process.
if (process.exitCode !== 0) process.exit()
