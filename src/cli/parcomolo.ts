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

/** Loaded when a command asks for it: most need neither a server nor a log. */
const main = () => import('../main/index.ts')

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
