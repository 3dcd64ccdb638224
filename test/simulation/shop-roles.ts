import type { System } from '../../src/main/system.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'
import type { Pace } from './other-log.ts'

/** What of the shop can be away by itself, or slow. */
export const roles = ['order', 'inventory', 'payment', 'shipping', 'orchestrator'] as const

export type Role = (typeof roles)[number]

/** What all nodes have alike. */
export type Troubles = {
  /** Roles that run nowhere. */
  readonly away: Set<Role>
  /** By role; `view` is the read model. */
  readonly slow: Map<string, Pace>
}

/** A stop that is held up is not waited for longer. */
const stopMsMax = 5000

export type ShopRolesDeps = {
  readonly troubles: Troubles
  /** The process that a role runs in, which may be the one that all run in. */
  readonly process: (role: Role) => SimulatedProcess
  /** True where a role has a process of its own, which can die by itself. */
  readonly isApart: boolean
  readonly start: (process: SimulatedProcess, role: Role) => Promise<System>
  readonly fail: (process: SimulatedProcess, error: unknown) => void
}

type Run = { readonly process: SimulatedProcess; readonly system: Promise<System>; isUp: boolean }

/** The roles of one node while it is up, each started and stopped by itself. */
export class ShopRoles {
  readonly #deps: ShopRolesDeps
  readonly #runs = new Map<Role, Run>()
  readonly #ending = new Map<Role, Promise<unknown>>()

  constructor(deps: ShopRolesDeps) {
    this.#deps = deps
    for (const role of roles) this.begin(role)
  }

  /** True when all that is not away is at work. */
  get isWhole(): boolean {
    const { away } = this.#deps.troubles
    return roles.every((role) => away.has(role) || this.#runs.get(role)?.isUp === true)
  }

  get processes(): readonly SimulatedProcess[] {
    return [...this.#runs.values()].map(({ process }) => process)
  }

  /** Unless it is at work already, or away. */
  begin(role: Role): void {
    const { start, fail, process: processOf, troubles } = this.#deps
    if (this.#runs.has(role) || troubles.away.has(role)) return
    const process = processOf(role)
    const system = (this.#ending.get(role) ?? Promise.resolve()).then(() => start(process, role))
    const run: Run = { process, system, isUp: false }
    this.#runs.set(role, run)
    system.then(
      () => (run.isUp = true),
      (error: unknown) => fail(process, error)
    )
  }

  /** It leaves in an orderly way, or dies where it can do so by itself. */
  end(role: Role, isOrderly: boolean): void {
    const run = this.#runs.get(role)
    this.#runs.delete(role)
    if (run === undefined) return
    const { process, system } = run
    if (this.#deps.isApart && (!isOrderly || !run.isUp)) return process.crash()
    const stopped = system.then((started) => started.stop())
    this.#ending.set(role, this.#deps.isApart ? Promise.race([stopped, process.wait(stopMsMax)]) : stopped)
    if (this.#deps.isApart) void this.#ending.get(role)!.then(() => process.crash())
  }

  crash(): void {
    for (const process of this.processes) process.crash()
  }
}
