import { type Call, type Definition, type Node, type Step } from '../definition/index.ts'

/** A definition as a drawing: boxes in the order of the file, and arrows. */
export type SagaGraph = {
  readonly saga: string
  readonly revision: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export type GraphNode = {
  /** `start`, a step's name, `fork1`, `join1`, `undo:<step>`, `completed`, `compensated`. */
  readonly id: string
  readonly kind: 'start' | 'step' | 'fork' | 'join' | 'undo' | 'completed' | 'compensated'
  /** The step's name, or the event that starts or ends the saga. */
  readonly label: string
  readonly command?: string
  readonly participant?: string
  /** The condition under which a step runs. */
  readonly when?: string
  /** The event that a step waits for after its reply. */
  readonly until?: string
  readonly pivot?: boolean
  /** After the pivot: only moves forward. */
  readonly retriable?: boolean
  /** Of a fork: the node where its branches meet again. */
  readonly join?: string
}

/** `next`: what follows; `undo`: what makes a step undone, or how the saga ends when all is. */
export type GraphEdge = { readonly from: string; readonly to: string; readonly kind: 'next' | 'undo' }

export const sagaGraph = (definition: Definition): SagaGraph => {
  const drawing: Drawing = { definition, nodes: [], edges: [], forks: 0 }
  const { start, complete, abort } = definition
  drawing.nodes.push({ id: 'start', kind: 'start', label: start.event })
  addUndo(drawing, 'start', start.compensate)
  const last = drawSequence(drawing, definition.body, ['start'])
  drawing.nodes.push({ id: 'completed', kind: 'completed', label: complete?.event ?? 'completed' })
  connect(drawing, last, 'completed')
  if (abort !== undefined) {
    drawing.nodes.push({ id: 'compensated', kind: 'compensated', label: abort.event })
    const from = start.compensate === undefined ? 'start' : 'undo:start'
    drawing.edges.push({ from, to: 'compensated', kind: 'undo' })
  }
  const { name: saga, revision } = definition
  return { saga, revision, nodes: drawing.nodes, edges: drawing.edges }
}

type Drawing = {
  readonly definition: Definition
  readonly nodes: GraphNode[]
  readonly edges: GraphEdge[]
  forks: number
}

/** Draws nodes one after the other; gives what the next one follows. */
const drawSequence = (drawing: Drawing, nodes: readonly Node[], before: readonly string[]): readonly string[] =>
  nodes.reduce((last, node) => {
    if (node.kind === 'parallel') return [drawParallel(drawing, node.branches, last)]
    const step = drawing.definition.steps[node.index]!
    drawing.nodes.push(boxOf(step))
    connect(drawing, last, step.name)
    addUndo(drawing, step.name, step.compensate)
    return [step.name]
  }, before)

const drawParallel = (drawing: Drawing, branches: readonly (readonly Node[])[], before: readonly string[]): string => {
  const number = ++drawing.forks
  const [fork, join] = [`fork${number}`, `join${number}`]
  drawing.nodes.push({ id: fork, kind: 'fork', label: '', join })
  connect(drawing, before, fork)
  const ends = branches.flatMap((branch) => drawSequence(drawing, branch, [fork]))
  drawing.nodes.push({ id: join, kind: 'join', label: '' })
  connect(drawing, ends, join)
  return join
}

const boxOf = ({ name, command, participant, when, until, pivot, retriable }: Step): GraphNode => ({
  id: name,
  kind: 'step',
  label: name,
  command,
  participant,
  ...(when && { when: when.source }),
  ...(until !== undefined && { until }),
  ...(pivot && { pivot }),
  ...(retriable && { retriable })
})

const addUndo = (drawing: Drawing, of: string, undo: Call | undefined): void => {
  if (undo === undefined) return
  const { command, participant } = undo
  drawing.nodes.push({ id: `undo:${of}`, kind: 'undo', label: of, command, participant })
  drawing.edges.push({ from: of, to: `undo:${of}`, kind: 'undo' })
}

const connect = (drawing: Drawing, before: readonly string[], to: string): void => {
  for (const from of before) drawing.edges.push({ from, to, kind: 'next' })
}
