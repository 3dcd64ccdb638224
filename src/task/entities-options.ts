import type { Account } from '../base/index.ts'
import type { Census } from './component.ts'
import type { Unanswered } from './unanswered.ts'

export type EntitiesOptions<S> = {
  /** A period ends when so many entities were asked for in it: some wait for hours, and few are busy at once. */
  readonly perPeriod: number
  /** Of a component that waits for answers. */
  readonly unanswered?: Unanswered | undefined
  /** What those in memory hold; without it, they may be as many as there are. */
  readonly account?: Account
  readonly census?: Census<S> | undefined
}
