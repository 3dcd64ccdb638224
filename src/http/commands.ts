import { ParcomoloError } from '../base/index.ts'
import type { OutgoingCommand } from './deps.ts'

/**
 * Commands on their way to the log, so many at most: while the log takes none, memory must not fill with them. One more
 * is refused at once, and nothing of it was taken. Whoever was answered without waiting any longer is still counted:
 * the log has the command and goes on with it.
 */
export class Commands {
  readonly #send: (command: OutgoingCommand) => Promise<unknown>
  readonly #inFlightMax: number
  #inFlightCount = 0

  constructor(send: (command: OutgoingCommand) => Promise<unknown>, inFlightMax: number) {
    this.#send = send
    this.#inFlightMax = inFlightMax
  }

  get inFlightCount(): number {
    return this.#inFlightCount
  }

  /** Resolves when the log has taken it; rejects with PARCOMOLO_HTTP_OVERLOADED where it was not even asked. */
  async send(command: OutgoingCommand): Promise<void> {
    if (this.#inFlightCount >= this.#inFlightMax) throw overloaded(this.#inFlightMax)
    this.#inFlightCount++
    try {
      await this.#send(command)
    } finally {
      this.#inFlightCount--
    }
  }
}

const overloaded = (commandsInFlightMax: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_HTTP_OVERLOADED',
    `${commandsInFlightMax} commands are already on their way to the log, which is the limit (commandsInFlightMax); ` +
      'nothing was taken, so repeat the request shortly',
    { retryable: true, details: { commandsInFlightMax } }
  )
