import type { ReleaseService } from '../contract/index.ts'
import { type Component, type Runner, runComponent, type TaskDeps } from '../task/index.ts'
import type { Projection } from '../view/index.ts'
import type { Served, ServingParts } from './serving.ts'

/**
 * What runs on the engine, as a value that `main` starts. All that the engine knows of an application stands here:
 * which components run, which topics there are, what the read model follows and what is answered over HTTP come from it
 * and from the contracts.
 */
export type Application = {
  readonly name: string
  readonly services: readonly Service[]
  /** What the read model keeps beside the instances of sagas. */
  readonly projections: readonly Projection[]
  /** Names that no other participant may have. */
  readonly reserved: readonly ReleaseService[]
  /** False where its services react to one another's events, and nothing interprets sagas. */
  readonly runsSagas: boolean
  readonly variant?: Variant
  /** Lines that tell somebody who has just started it what to try. */
  readonly firstSteps?: (url: string) => readonly string[]
  /** What it needs open to answer requests; without it, only the engine's own are answered. */
  readonly serve?: (parts: ServingParts) => Promise<Served>
}

/** How it runs, where that can be chosen: the same in all processes of an installation. */
export type Variant = {
  /** The variable that chooses, and its value. */
  readonly setting: string
  readonly value: string
  /** The value with which sagas run. */
  readonly withSagas: string
}

/** A participant whose component runs here: it alone writes to its journal. */
export type Service = {
  /** Of the component, of the participant whose contract it keeps, and of the role that runs it. */
  readonly name: string
  readonly journal: string
  /** Of its journal and inbox, where not those of the installation: what it guards may be shared by all keys. */
  readonly partitions?: number
  readonly run: (deps: TaskDeps) => Runner
}

/** S: the state of its entities, which nobody else sees. */
export const serviceOf = <S>(component: Component<S>, own: Pick<Service, 'partitions'> = {}): Service => ({
  ...own,
  name: component.name,
  journal: component.journal,
  run: (deps) => runComponent(component, deps)
})

/** The engine alone: all participants run elsewhere. */
export const noApplication: Application = { name: 'none', services: [], projections: [], reserved: [], runsSagas: true }
