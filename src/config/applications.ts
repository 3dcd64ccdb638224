import { type Application, noApplication, type Setting } from '../application/index.ts'
import { shop, shopSettings } from '../shop/index.ts'

/**
 * The applications that this release has, by the names that `PARCOMOLO_APP` takes, each with the variables that only it
 * has.
 */
export const applications = { shop: shopSettings, none: {} } as const

/** All of these variables. */
export const applicationSettings = { ...applications.shop, ...applications.none }

export type ApplicationName = keyof typeof applications

/** The one that runs where nobody says which. */
export const standardApplication: ApplicationName = 'shop'

/** What says which application runs, and how. */
export type Choice = { readonly app: ApplicationName } & {
  readonly [Name in keyof typeof applicationSettings]: (typeof applicationSettings)[Name] extends Setting<infer T>
    ? T
    : never
}

/** The one that a process runs. */
export const applicationOf = ({ app, flow }: Choice): Application => (app === 'none' ? noApplication : shop(flow))

/** Every one that a process can run. */
export const everyApplication: readonly Application[] = [shop('orchestration'), shop('choreography'), noApplication]
