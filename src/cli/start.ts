import { type Command, type Terminal } from './command.ts'
import { exitCode } from './exit-code.ts'

export const start: Command = {
  name: 'start',
  takes: '',
  summary: 'run everything in this process, until Ctrl-C',
  arguments: { min: 0, max: 0 },
  run: async ({ terminal, program }) => {
    const running = await program.start()
    const stopAsked = untilStopAsked(terminal)
    for (const line of greeting(running.url)) terminal.out(line)
    const failure = await Promise.race([stopAsked, running.failed.then((error) => ({ error }))])
    if (failure === undefined) {
      await running.stop()
      return exitCode.done
    }
    // What made it fail is worth more than what the stop then stumbles over.
    await Promise.allSettled([running.stop()])
    throw failure.error
  }
}

/** Resolves with the first signal; from then on a second one ends the process at once, which loses nothing either. */
const untilStopAsked = (terminal: Terminal): Promise<undefined> =>
  new Promise((resolve) => {
    let asked = false
    for (const [signal, number] of [
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

const order = {
  customerId: 'ada',
  lines: [{ sku: 'book', quantity: 2 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
}

const greeting = (url: string): string[] => [
  `Parcomolo is ready at ${url}`,
  '',
  'Place an order:',
  `  curl -s ${url}/orders -H 'content-type: application/json' -d '${JSON.stringify(order)}'`,
  'See how it ended, with the orderId of the answer:',
  `  curl -s '${url}/orders/ORDER_ID?wait=10s'`,
  `Everything else: ${url}/docs`
]
