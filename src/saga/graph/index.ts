export { type GraphEdge, type GraphNode, type SagaGraph, sagaGraph } from './graph.ts'
export { toMermaid } from './mermaid.ts'
export { toSvg } from './svg.ts'
