import { type GraphNode, type SagaGraph } from './graph.ts'

/** The graph as a Mermaid flow chart, as GitHub and many editors draw it. */
export const toMermaid = ({ nodes, edges }: SagaGraph): string => {
  const ids = new Map(nodes.map((node, i) => [node.id, `n${i}`]))
  const lines = [
    ...nodes.map((node) => `  ${ids.get(node.id)}${shapeOf(node)}`),
    ...edges.map(({ from, to, kind }) => `  ${ids.get(from)} ${kind === 'next' ? '-->' : '-.->'} ${ids.get(to)}`),
    '  classDef pivot stroke-width:4px',
    '  classDef undo stroke-dasharray:4 3'
  ]
  return `flowchart LR\n${lines.join('\n')}\n`
}

const shapeOf = (node: GraphNode): string => {
  switch (node.kind) {
    case 'start':
    case 'completed':
    case 'compensated':
      return `([${quoted([node.label])}])`
    case 'fork':
    case 'join':
      return '((" "))'
    case 'undo':
      return `[${quoted([`undo ${node.label}`, node.command])}]:::undo`
    case 'step':
      return `[${quoted(linesOf(node))}]${node.pivot === true ? ':::pivot' : ''}`
  }
}

const linesOf = ({ label, command, when, until, pivot }: GraphNode): (string | undefined)[] => [
  pivot === true ? `${label} (pivot)` : label,
  command,
  when && `when ${when}`,
  until && `until ${until}`
]

const quoted = (lines: readonly (string | undefined)[]): string =>
  `"${lines
    .filter((line) => line !== undefined)
    .map(escape)
    .join('<br/>')}"`

/** Mermaid reads `#code;` for a character; so nothing in a label can end it, or become HTML. */
const escape = (text: string): string => text.replaceAll(/[^\w .,-]/g, (character) => `#${character.codePointAt(0)};`)
