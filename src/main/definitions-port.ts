import type { DefinitionsPort, SagaDefinition } from '../http/index.ts'
import type { Definitions, Revision } from '../orchestrator/index.ts'
import { keysText, sagaGraph, toMermaid, toSvg } from '../saga/index.ts'

/** The published definitions as the REST interface shows them: newest revision first. */
export const definitionsPort = (definitions: Definitions): DefinitionsPort => {
  const get = (saga: string): SagaDefinition | undefined => {
    const revisions = definitions
      .all()
      .filter((revision) => revision.saga === saga)
      .sort((a, b) => b.publishedAt - a.publishedAt)
    return revisions.length === 0 ? undefined : { saga, revisions: revisions.map((it) => show(it, definitions)) }
  }
  return {
    get,
    list: () => {
      const names = new Set(definitions.all().map((revision) => revision.saga))
      return [...names].sort().map((name) => get(name)!)
    },
    graph: (saga, revision, format) => {
      const found = revision === undefined ? definitions.newest(saga) : definitions.revision(saga, revision)
      const definition = found && definitions.definitionOf(found)
      if (definition === undefined) return undefined
      const graph = sagaGraph(definition)
      if (format === 'json') return graph
      return format === 'svg' ? toSvg(graph) : toMermaid(graph)
    }
  }
}

const show = (revision: Revision, definitions: Definitions): SagaDefinition['revisions'][number] => ({
  revision: revision.revision,
  current: definitions.isCurrent(revision),
  retired: revision.retired,
  publishedAt: revision.publishedAt,
  source: revision.source,
  yaml: revision.yaml,
  keys: keysOf(revision, definitions)
})

/** Of others than the newest nobody asks, and each would have to be compiled for it. */
const keysOf = (revision: Revision, definitions: Definitions): string | null => {
  const definition = definitions.isCurrent(revision) ? definitions.definitionOf(revision) : undefined
  return definition === undefined ? null : keysText(definition)
}
