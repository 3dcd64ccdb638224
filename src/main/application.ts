import { type Application, noApplication } from '../application/index.ts'
import { shop } from '../shop/index.ts'
import type { Config } from './config.ts'

/** The applications that this release has, by the names that `PARCOMOLO_APP` takes. */
export const applications = ['shop', 'none'] as const

/** The one that a process runs. */
export const applicationOf = ({ app, flow }: Pick<Config, 'app' | 'flow'>): Application =>
  app === 'none' ? noApplication : shop(flow)
