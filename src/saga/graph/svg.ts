import { type GraphEdge, type SagaGraph } from './graph.ts'
import { type Box, charactersMax, detailsOf, type Layout, layOut } from './layout.ts'

/** The graph as an SVG that stands alone, in light and dark. */
export const toSvg = (graph: SagaGraph): string => {
  const layout = layOut(graph)
  const title = `Saga ${graph.saga}, revision ${graph.revision}`
  const parts = [
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}</style>`,
    marker('next'),
    marker('undo'),
    ...zoneOf(layout),
    ...graph.edges.map((edge) => drawEdge(edge, layout)),
    ...[...layout.boxes.values()].map(drawBox)
  ]
  const size = `width="${layout.width}" height="${layout.height}" viewBox="0 0 ${layout.width} ${layout.height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escapeXml(title)}">\n${parts.join('\n')}\n</svg>\n`
}

/** Text that can stand in an element or an attribute; what XML 1.0 has no place for becomes a space. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(/(?![\t\n\r])\p{Control}|[\uFFFE\uFFFF]|\p{Surrogate}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

type Palette = Readonly<
  Record<'ink' | 'soft' | 'line' | 'card' | 'border' | 'accent' | 'zone' | 'undo' | 'undoCard', string>
>

/** Plain values, no CSS variables: not every viewer knows those. */
const colours = ({ ink, soft, line, card, border, accent, zone, undo, undoCard }: Palette): string =>
  [
    `text{fill:${ink}}.detail{fill:${soft}}.note{fill:${accent}}`,
    `.card{fill:${card};stroke:${border}}.event .card{stroke:${ink}}.pivot .card{stroke:${accent}}`,
    `.undo .card{fill:${undoCard};stroke:${undo}}.undo text{fill:${undo}}`,
    `.dot,.head-next{fill:${line}}.zone{fill:${zone}}.next{stroke:${line}}`,
    `.undo-line{stroke:${undo}}.head-undo{fill:${undo}}`
  ].join('')

const light = colours({
  ink: '#1c2430',
  soft: '#566273',
  line: '#8a94a3',
  card: '#ffffff',
  border: '#c3cad4',
  accent: '#1f5fd0',
  zone: '#eef4ff',
  undo: '#b3541e',
  undoCard: '#fff8f2'
})

const dark = colours({
  ink: '#e8edf4',
  soft: '#a4afbd',
  line: '#7b8797',
  card: '#1d2530',
  border: '#465162',
  accent: '#6ea3ff',
  zone: '#182338',
  undo: '#f0a06a',
  undoCard: '#2a2019'
})

const style = [
  'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;text-anchor:middle}',
  '.name{font-size:14px;font-weight:600}.detail{font-size:12px}.note{font-size:11px;font-weight:600;text-anchor:start}',
  '.card{stroke-width:1.5}.pivot .card{stroke-width:3}.undo .card,.undo-line{stroke-dasharray:5 4}',
  '.next,.undo-line{fill:none;stroke-width:1.5}',
  light,
  `@media(prefers-color-scheme:dark){${dark}}`
].join('')

const marker = (kind: GraphEdge['kind']): string =>
  `<marker id="${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="head-${kind}" d="M0 0L10 5L0 10z"/></marker>`

/** The ground behind everything that only moves forward. */
const zoneOf = ({ boxes, width, height }: Layout): readonly string[] => {
  const pivot = [...boxes.values()].find(({ node }) => node.pivot === true)
  if (pivot === undefined) return []
  const x = pivot.x + pivot.width / 2
  return [
    `<rect class="zone" x="${x}" y="0" width="${width - x}" height="${height}"/>`,
    `<text class="note" x="${x + 12}" y="20">from the pivot on, only forward</text>`
  ]
}

const drawEdge = ({ from, to, kind }: GraphEdge, { boxes }: Layout): string => {
  const [a, b] = [boxes.get(from)!, boxes.get(to)!]
  if (kind === 'undo') {
    const x = a.x + a.width / 2
    return `<path class="undo-line" marker-end="url(#undo)" d="M${x} ${a.y + a.height}V${b.y - 1}"/>`
  }
  const [x1, y1] = [a.x + a.width, a.y + a.height / 2]
  const x2 = b.x - 1
  return `<path class="next" marker-end="url(#next)" d="M${x1} ${y1}${bend(a, b)}H${x2}"/>`
}

/** A change of height takes place beside the dot: right behind a fork, right before a join. */
const bend = (a: Box, b: Box): string => {
  const [y1, y2] = [a.y + a.height / 2, b.y + b.height / 2]
  if (y1 === y2) return ''
  const left = b.node.kind === 'join' ? b.x - bendWidth : a.x + a.width
  const middle = left + bendWidth / 2
  return `H${left}C${middle} ${y1} ${middle} ${y2} ${left + bendWidth - 8} ${y2}`
}

const bendWidth = 44

const drawBox = (box: Box): string => {
  const { node, x, y, width, height } = box
  switch (node.kind) {
    case 'fork':
    case 'join':
      return `<circle class="dot" cx="${x + width / 2}" cy="${y + height / 2}" r="${width / 2}"/>`
    case 'undo':
      return group('undo', box, {
        radius: 8,
        lines: detailsOf(node).map((line) => ['detail', line]),
        title: `undo of ${node.label}: ${node.command}`
      })
    case 'step':
      return group(node.pivot === true ? 'pivot' : 'step', box, {
        radius: 8,
        lines: [['name', node.label], ...detailsOf(node).map((line) => ['detail', line] as const)],
        title: [`${node.label}: ${node.participant}`, ...detailsOf(node)].join('\n')
      })
    default:
      return group(node.kind === 'compensated' ? 'undo' : 'event', box, {
        radius: 20,
        lines: [['name', node.label]],
        title: node.label
      })
  }
}

type Content = {
  readonly radius: number
  readonly lines: readonly (readonly [kind: string, text: string])[]
  readonly title: string
}

const group = (kind: string, { x, y, width, height }: Box, { radius, lines, title }: Content): string => {
  const step = 17
  const first = y + height / 2 - ((lines.length - 1) * step) / 2 + 4.5
  const texts = lines.map(
    ([style, text], i) =>
      `<text class="${style}" x="${x + width / 2}" y="${first + i * step}">${escapeXml(cut(text))}</text>`
  )
  const card = `<rect class="card" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`
  return `<g class="${kind}"><title>${escapeXml(title)}</title>${card}${texts.join('')}</g>`
}

const cut = (text: string): string => (text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`)
