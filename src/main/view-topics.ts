import type { Application } from '../application/index.ts'
import { type Topics, viewLayout, type ViewLayout } from '../view/index.ts'
import { journalsOf } from './system.ts'

/** The journals that the read model follows, by the names under which it knows them: `order` for `order-events`. */
export const viewTopicsOf = (application: Application): Topics =>
  Object.fromEntries(journalsOf(application).map((topic) => [topic.replace(/-events$/, ''), topic]))

/** What the read model's store keeps. */
export const viewLayoutOf = ({ projections }: Application): ViewLayout => viewLayout(projections)
