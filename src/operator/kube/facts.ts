import type { Clock } from '../../base/index.ts'
import type { Controller } from './controller.ts'
import type { EventRecorder } from './event-recorder.ts'
import type { LeaderElector } from './leader-elector.ts'
import type { Reflector } from './reflector.ts'
import type { KubeObject } from './resource.ts'

/** The parts that there is something to tell about. */
export type Parts = {
  /** By the plural of their kind. */
  readonly reflectors: ReadonlyMap<string, Pick<Reflector<KubeObject>, 'stats' | 'hasSynced'>>
  readonly controllers: readonly Pick<Controller, 'name' | 'stats' | 'depth' | 'addCount'>[]
  readonly elector: Pick<LeaderElector, 'isLeader'>
  readonly recorder: Pick<EventRecorder, 'stats'>
}

export type HealthFact = { readonly name: string; readonly ok: boolean; readonly detail: string }

/** `alive`: a restart would not help. `ready`: what the API server has is known; to lead is not needed for it. */
export type Health = { readonly alive: readonly HealthFact[]; readonly ready: readonly HealthFact[] }

/** The loop of a reflector comes on at least so often, also when the API server is away. */
const stillMsMax = 600_000

export const healthOf = ({ reflectors }: Parts, clock: Clock): Health => ({
  alive: [...reflectors].map(([name, { stats }]) => {
    const stillMs = clock.now() - stats.movedAt
    const ok = stillMs < stillMsMax
    return { name, ok, detail: ok ? '' : `nothing has moved for ${Math.round(stillMs / 1000)} s` }
  }),
  ready: [...reflectors].map(([name, { hasSynced }]) => ({
    ...{ name, ok: hasSynced, detail: hasSynced ? '' : 'not all of them have been read from the API server yet' }
  }))
})
