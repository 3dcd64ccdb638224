import { type GraphNode, type SagaGraph } from './graph.ts'

export type Box = {
  readonly node: GraphNode
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export type Layout = { readonly boxes: ReadonlyMap<string, Box>; readonly width: number; readonly height: number }

const gap = { columns: 44, rows: 26, undo: 22, margin: 34 } as const

const heights = { start: 40, step: 58, fork: 12, join: 12, undo: 38, completed: 40, compensated: 40 } as const

const lineHeight = 15

/**
 * Places a graph from left to right. A block lies on a line: so much of it above, so much below. What follows each
 * other shares the line; the branches of a fork are stacked around it, and an undo hangs below what it undoes.
 */
export const layOut = (graph: SagaGraph): Layout => {
  const plan = planOf(graph)
  const body = sequenceBlock(plan, 'start', undefined)
  const boxes = new Map<string, Box>()
  body.place(gap.margin, gap.margin + body.above, boxes)
  return {
    boxes,
    width: body.width + 2 * gap.margin,
    height: body.above + body.below + 2 * gap.margin
  }
}

type Plan = {
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly next: ReadonlyMap<string, readonly string[]>
  readonly undo: ReadonlyMap<string, string>
}

type Block = {
  readonly width: number
  readonly above: number
  readonly below: number
  place(x: number, line: number, boxes: Map<string, Box>): void
}

const planOf = ({ nodes, edges }: SagaGraph): Plan => {
  const next = Map.groupBy(
    edges.filter((edge) => edge.kind === 'next'),
    (edge) => edge.from
  )
  return {
    nodes: new Map(nodes.map((node) => [node.id, node])),
    next: new Map([...next].map(([from, list]) => [from, list.map((edge) => edge.to)])),
    undo: new Map(edges.filter((edge) => edge.kind === 'undo').map((edge) => [edge.from, edge.to]))
  }
}

/** From a node to the join `end`, or to the end of the graph. */
const sequenceBlock = (plan: Plan, first: string, end: string | undefined): Block => {
  const blocks: Block[] = []
  let at: string | undefined = first
  while (at !== undefined && at !== end) {
    const node: GraphNode = plan.nodes.get(at)!
    blocks.push(node.join === undefined ? columnBlock(plan, node) : parallelBlock(plan, node, node.join))
    at = plan.next.get(node.join ?? at)?.[0]
  }
  return row(blocks)
}

const row = (blocks: readonly Block[]): Block => ({
  width: sum(blocks.map((block) => block.width)) + gap.columns * (blocks.length - 1),
  above: Math.max(...blocks.map((block) => block.above)),
  below: Math.max(...blocks.map((block) => block.below)),
  place: (x, line, boxes) => {
    let left = x
    for (const block of blocks) {
      block.place(left, line, boxes)
      left += block.width + gap.columns
    }
  }
})

/** A box with its undo below it, and what follows from that. */
const columnBlock = (plan: Plan, node: GraphNode): Block => {
  const column: GraphNode[] = []
  for (let id: string | undefined = node.id; id !== undefined; id = plan.undo.get(id)) column.push(plan.nodes.get(id)!)
  const width = Math.max(...column.map(widthOf))
  const height = heightOf(node)
  const below = column.slice(1).map((each) => gap.undo + heightOf(each))
  return {
    width,
    above: height / 2,
    below: height / 2 + sum(below),
    place: (x, line, boxes) => {
      let top = line - height / 2
      for (const each of column) {
        boxes.set(each.id, { node: each, x, y: top, width, height: heightOf(each) })
        top += heightOf(each) + gap.undo
      }
    }
  }
}

const parallelBlock = (plan: Plan, fork: GraphNode, join: string): Block => {
  const branches = plan.next.get(fork.id)!.map((first) => sequenceBlock(plan, first, join))
  const inner = Math.max(...branches.map((branch) => branch.width))
  const lines: number[] = []
  let bottom = 0
  for (const branch of branches) {
    lines.push(bottom + branch.above)
    bottom += branch.above + branch.below + gap.rows
  }
  const height = bottom - gap.rows
  const middle = (lines[0]! + lines.at(-1)!) / 2
  const dot = heights.fork
  return {
    width: inner + 2 * (dot + gap.columns),
    above: middle,
    below: height - middle,
    place: (x, line, boxes) => {
      const put = (id: string, left: number): unknown =>
        boxes.set(id, { node: plan.nodes.get(id)!, x: left, y: line - dot / 2, width: dot, height: dot })
      put(fork.id, x)
      for (const [i, branch] of branches.entries()) {
        const left = x + dot + gap.columns + (inner - branch.width) / 2
        branch.place(left, line - middle + lines[i]!, boxes)
      }
      put(join, x + dot + 2 * gap.columns + inner)
    }
  }
}

/** The lines under a step's name. */
export const detailsOf = (node: GraphNode): readonly string[] =>
  [node.command, node.when && `when ${node.when}`, node.until && `until ${node.until}`].filter(
    (line) => line !== undefined
  )

const heightOf = (node: GraphNode): number => {
  const more = node.kind === 'step' ? detailsOf(node).length - 1 : 0
  return heights[node.kind] + more * lineHeight
}

/** By the widths of common fonts: names are bold. */
const widthOf = (node: GraphNode): number => {
  const name = node.kind === 'undo' ? 0 : node.label.length
  const details = Math.max(0, ...detailsOf(node).map((text) => text.length))
  const text = Math.max(9 * Math.min(name, charactersMax), 7.4 * Math.min(details, charactersMax))
  return Math.max(112, Math.round(text) + 32)
}

/** Longer texts are cut in the drawing, and whole in the tooltip. */
export const charactersMax = 34

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
