import type { Flow } from '../../src/shop/index.ts'
import type { VirtualTime } from '../helpers/virtual-time.ts'
import type { Pace } from './other-log.ts'
import type { ShopNode } from './shop-node.ts'
import { type Role, roles, type Troubles } from './shop-roles.ts'

export const noTroubles = (): Troubles => ({ away: new Set(), slow: new Map() })

export const areOver = (troubles: Troubles | undefined): boolean =>
  troubles === undefined || (troubles.away.size === 0 && troubles.slow.size === 0)

type Place = { readonly time: VirtualTime; readonly nodes: readonly ShopNode[] }

type Deps = Place & { readonly troubles: Troubles }

/** How many of each, on average. */
export type TroublesPlan = { readonly flow: Flow; readonly absences?: number; readonly slowdowns?: number }

/** People ask again and again while an order is not taken, so that its backlog is deep after a shorter time. */
const awayMsMax = (role: Role): number => (role === 'order' ? 20_000 : 150_000)
const slowMsMax = 60_000

/** Roles that go away from all nodes, and such as are slow for a while, by chance several at a time. */
export const planTroubles = (
  { troubles, withinMs, ...place }: Place & { readonly troubles: Troubles | undefined; readonly withinMs: number },
  { flow, absences = 0, slowdowns = 0 }: TroublesPlan
): void => {
  if (troubles === undefined) return
  const { time } = place
  const deps = { ...place, troubles }
  const plan = (average: number, what: () => void): void => {
    const count = Math.floor(average) + (time.chance(average % 1) ? 1 : 0)
    for (let i = 0; i < count; i++) time.after(time.random() * withinMs, what)
  }
  const own = roles.filter((role) => flow === 'orchestration' || role !== 'orchestrator')
  plan(absences, () => absent(deps, time.pick(own)))
  plan(slowdowns, () => slow(deps, time.pick([...own, 'view'])))
}

const absent = ({ time, nodes, troubles }: Deps, role: Role): void => {
  if (troubles.away.has(role)) return
  const forMs = time.between(1000, awayMsMax(role))
  const isOrderly = time.chance(0.5)
  time.note(`${role} ${isOrderly ? 'leaves' : 'dies'} everywhere for ${Math.round(forMs)} ms`)
  troubles.away.add(role)
  for (const node of nodes) node.endRole(role, isOrderly)
  time.after(forMs, () => {
    time.note(`${role} comes back`)
    troubles.away.delete(role)
    for (const node of nodes) time.after(time.between(1, 2000), () => node.beginRole(role))
  })
}

const slow = ({ time, troubles }: Deps, role: string): void => {
  if (troubles.slow.has(role)) return
  const pace: Pace = {
    recordsMax: Math.ceil(time.between(1, 5)),
    everyMs: time.between(50, 2000),
    lateMs: time.between(1, 500)
  }
  const forMs = time.between(1000, slowMsMax)
  time.note(`${role} is slow for ${Math.round(forMs)} ms: ${pace.recordsMax} records in ${Math.round(pace.everyMs)} ms`)
  troubles.slow.set(role, pace)
  time.after(forMs, () => {
    time.note(`${role} is as fast as ever`)
    troubles.slow.delete(role)
  })
}
