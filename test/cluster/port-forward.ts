import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** What is forwarded: `service/shop`, and its port. */
export type Target = { readonly namespace: string; readonly name: string; readonly port: number }

const retryMs = 200

/** `kubectl port-forward` on a local port, and again whenever it ends, as it does with the pod that it has chosen. */
export class PortForward {
  readonly #target: Target
  readonly #port: number
  #child: ChildProcess | undefined
  #isClosed = false
  #running = Promise.resolve()

  private constructor(target: Target, port: number) {
    this.#target = target
    this.#port = port
  }

  /** Resolves when it forwards for the first time. */
  static async open(target: Target, port: number): Promise<PortForward> {
    const forward = new PortForward(target, port)
    const first = Promise.withResolvers<void>()
    forward.#running = forward.#run(first.resolve)
    await first.promise
    return forward
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#child?.kill()
    await this.#running
  }

  async #run(onForwarding: () => void): Promise<void> {
    const { namespace, name, port } = this.#target
    while (!this.#isClosed) {
      const args = ['-n', namespace, 'port-forward', '--address', '127.0.0.1', name, `${this.#port}:${port}`]
      const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
      this.#child = child
      createInterface({ input: child.stdout }).on('line', onForwarding)
      // It says so of each connection that finds its pod gone, and stays with that pod for ever.
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (/lost connection|error forwarding|error creating|not found/i.test(text)) child.kill()
      })
      await once(child, 'close')
      if (!this.#isClosed) await wait(retryMs)
    }
  }
}
