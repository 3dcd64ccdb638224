import { type Command, type Program, type Running, type Terminal } from './command.ts'
import { exitCode } from './exit-code.ts'

export const start: Command = {
  name: 'start',
  takes: '',
  summary: 'run this process, until Ctrl-C: everything, or its PARCOMOLO_ROLES',
  arguments: { min: 0, max: 0 },
  run: async ({ terminal, program }) => {
    const stop = new AbortController()
    const stopAsked = untilStopAsked(terminal)
    void stopAsked.then(() => stop.abort())
    const running = await started(program, stop.signal)
    if (running === undefined) {
      // Whatever it still waited for must not keep the process.
      terminal.exit(exitCode.done)
      return exitCode.done
    }
    for (const line of greeting(running)) terminal.out(line)
    const failure = await Promise.race([stopAsked, running.failed.then((error) => ({ error }))])
    if (failure === undefined) {
      await running.stop()
      return exitCode.done
    }
    // What made it fail is worth more than what the stop then stumbles over.
    await Promise.race([Promise.allSettled([running.stop()]), stopAsked])
    throw failure.error
  }
}

/** Undefined where the stop came before the start was done. */
const started = async (program: Program, signal: AbortSignal): Promise<Running | undefined> => {
  try {
    return await program.start(signal)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** Resolves with the first signal; from then on a second one ends the process at once, which loses nothing either. */
const untilStopAsked = (terminal: Terminal): Promise<undefined> =>
  new Promise((resolve) => {
    let asked = false
    for (const [signal, number] of [
      ['SIGHUP', 1],
      ['SIGINT', 2],
      ['SIGTERM', 15]
    ] as const) {
      terminal.signals.on(signal, () => {
        // A process that a signal ended exits with 128 and the signal's number.
        if (asked) return terminal.exit(128 + number)
        asked = true
        terminal.err('Stopping; once more stops at once')
        resolve(undefined)
      })
    }
  })

const greeting = ({ url, firstSteps, roles }: Running): string[] => {
  const ready = [`Parcomolo is ready at ${url}`, ...(roles === 'all' ? [] : [`It runs ${roles.join(', ')}`])]
  if (roles !== 'all' && !roles.includes('view')) return ready
  return [...ready, '', ...(firstSteps ?? withoutApplication(url)), `Everything else: ${url}/docs`]
}

const withoutApplication = (url: string): string[] => [
  'See which sagas are in force, and what runs on them:',
  `  curl -s ${url}/definitions`,
  `  curl -s ${url}/sagas`
]
