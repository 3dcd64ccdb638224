import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'

const lookMs = 50

/** Somebody else's program. It is the head of a process group of its own, so that its children end with it. */
export class ForeignProcess {
  /** What it has printed, in all its lives. */
  readonly lines: string[] = []
  readonly #command: readonly [string, ...string[]]
  readonly #variables: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #isOver = false

  constructor(
    t: ExecutionContext,
    command: readonly [string, ...string[]],
    variables: Readonly<Record<string, string>>
  ) {
    this.#command = command
    this.#variables = variables
    t.teardown(() => {
      this.#isOver = true
      // One that hangs says where: Python does when it is aborted.
      return this.kill(t.passed ? 'SIGKILL' : 'SIGABRT')
    })
  }

  start(): void {
    const [program, ...words] = this.#command
    const child = spawn(program, words, {
      env: { ...process.env, PYTHONFAULTHANDLER: '1', ...this.#variables },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true
    })
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line))
    this.#child = child
  }

  /** The lines with this text in them, once there are that many. */
  async printed(count: number, text = ''): Promise<readonly string[]> {
    for (;;) {
      const found = this.lines.filter((line) => line.includes(text))
      if (found.length >= count) return found
      this.assertGoesOn()
      await wait(lookMs)
    }
  }

  /** Whoever waits for it would wait for ever. */
  assertGoesOn(): void {
    if (this.#isOver) throw new Error('the test is over')
    const { exitCode, signalCode } = this.#child ?? {}
    if (exitCode == null && signalCode == null) return
    throw new Error(`'${this.#command.join(' ')}' has ended with ${exitCode ?? signalCode}`)
  }

  /** Without another signal it has no time for anything. */
  async kill(signal: 'SIGKILL' | 'SIGABRT' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    process.kill(-child.pid, signal)
    await ended
  }

  async restart(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.kill(signal)
    this.start()
  }
}
