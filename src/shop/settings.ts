import { type ApplicationSetting, oneOf } from '../application/index.ts'
import type { Flow } from './flow.ts'

/** The variables that the shop has beside those of the engine. */
export const shopSettings = {
  flow: {
    name: 'FLOW',
    standard: 'orchestration',
    meaning: 'Who decides what comes next: the orchestrator, or each service by the events of the others',
    elsewhere: 'has no services that it could be the flow of',
    ...oneOf('orchestration', 'choreography')
  } satisfies ApplicationSetting<Flow>
}
