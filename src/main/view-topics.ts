import type { Application } from '../application/index.ts'
import { callsTopic } from '../courier/index.ts'
import { viewLayout, type ViewLayout } from '../view/index.ts'
import { journalsOf } from './system.ts'

/** The journals that the read model follows: those of our own components, and what projections read beside them. */
export const viewTopicsOf = (application: Application): readonly string[] => [
  ...new Set([...journalsOf(application), callsTopic, ...application.projections.flatMap(({ reads }) => reads)])
]

/** What the read model's store keeps. */
export const viewLayoutOf = ({ projections }: Application): ViewLayout => viewLayout(projections)
