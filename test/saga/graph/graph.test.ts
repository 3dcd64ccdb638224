import test from 'ava'
import { type Definition, sagaGraph, toMermaid, toSvg } from '../../../src/saga/index.ts'
import { type Box, layOut } from '../../../src/saga/graph/layout.ts'
import { load, saga, withSteps } from '../load/fixture.ts'

const ship = (name: string, more = 'compensate: none'): string =>
  `{ name: ${name}, command: Ship, with: { id: start.id }, ${more} }`

const small = load(
  saga(`  start: { on: Started, key: event.id, compensate: { command: Refund, with: { id: start.id } } }
  steps:
    - ${ship('pack', 'compensate: { command: Release, with: { id: start.id } }')}
    - ${ship('pay', 'pivot: true')}
    - parallel:
        - ${ship('bill', "when: start.vip && start.id < 'x'")}
        - ${ship('send', 'until: Arrived')}
  complete: { emit: Finished, with: { id: start.id } }
  abort: { emit: Empty }
`)
)

const step = { kind: 'step', command: 'Ship', participant: 'shop' } as const

test('a graph has a node for every box, and an edge for every arrow', (t) => {
  t.deepEqual(sagaGraph(small), {
    saga: 'test',
    revision: small.revision,
    nodes: [
      { id: 'start', kind: 'start', label: 'Started' },
      { id: 'undo:start', kind: 'undo', label: 'start', command: 'Refund', participant: 'bank' },
      { id: 'pack', label: 'pack', ...step },
      { id: 'undo:pack', kind: 'undo', label: 'pack', command: 'Release', participant: 'shop' },
      { id: 'pay', label: 'pay', ...step, pivot: true },
      { id: 'fork1', kind: 'fork', label: '', join: 'join1' },
      { id: 'bill', label: 'bill', ...step, when: "start.vip && start.id < 'x'", retriable: true },
      { id: 'send', label: 'send', ...step, until: 'Arrived', retriable: true },
      { id: 'join1', kind: 'join', label: '' },
      { id: 'completed', kind: 'completed', label: 'Finished' },
      { id: 'compensated', kind: 'compensated', label: 'Empty' }
    ],
    edges: [
      { from: 'start', to: 'undo:start', kind: 'undo' },
      { from: 'start', to: 'pack', kind: 'next' },
      { from: 'pack', to: 'undo:pack', kind: 'undo' },
      { from: 'pack', to: 'pay', kind: 'next' },
      { from: 'pay', to: 'fork1', kind: 'next' },
      { from: 'fork1', to: 'bill', kind: 'next' },
      { from: 'fork1', to: 'send', kind: 'next' },
      { from: 'bill', to: 'join1', kind: 'next' },
      { from: 'send', to: 'join1', kind: 'next' },
      { from: 'join1', to: 'completed', kind: 'next' },
      { from: 'undo:start', to: 'compensated', kind: 'undo' }
    ]
  })
})

test('a saga that emits nothing ends in plain words', (t) => {
  const { nodes, edges } = sagaGraph(load(withSteps(`    - ${ship('pack')}\n`)))
  t.deepEqual(
    nodes.map(({ id, label }) => [id, label]),
    [
      ['start', 'Started'],
      ['pack', 'pack'],
      ['completed', 'completed']
    ]
  )
  t.is(edges.length, 2)
})

test('an abort hangs below the start where the start has no undo', (t) => {
  const definition = load(withSteps(`    - ${ship('pack')}\n`, '  abort: { emit: Empty }\n'))
  t.deepEqual(sagaGraph(definition).edges.at(-1), { from: 'start', to: 'compensated', kind: 'undo' })
})

test('Mermaid shows the same graph, and nothing in a label can break out of it', (t) => {
  t.is(
    toMermaid(sagaGraph(small)),
    `flowchart LR
  n0(["Started"])
  n1["undo start<br/>Refund"]:::undo
  n2["pack<br/>Ship"]
  n3["undo pack<br/>Release"]:::undo
  n4["pay #40;pivot#41;<br/>Ship"]:::pivot
  n5((" "))
  n6["bill<br/>Ship<br/>when start.vip #38;#38; start.id #60; #39;x#39;"]
  n7["send<br/>Ship<br/>until Arrived"]
  n8((" "))
  n9(["Finished"])
  n10(["Empty"])
  n0 -.-> n1
  n0 --> n2
  n2 -.-> n3
  n2 --> n4
  n4 --> n5
  n5 --> n6
  n5 --> n7
  n6 --> n8
  n7 --> n8
  n8 --> n9
  n1 -.-> n10
  classDef pivot stroke-width:4px
  classDef undo stroke-dasharray:4 3
`
  )
})

const unescaped = /<|&(?!amp;|lt;|gt;|quot;|#39;)|(?![\t\n\r])\p{Control}|\p{Surrogate}/u

/** The text of every element of an XML document; fails where tags do not match or a character is not escaped. */
const textsOf = (xml: string): string[] => {
  const open: string[] = []
  const texts: string[] = []
  for (const [token, closing, name, selfClosing] of xml.matchAll(
    /<(\/?)([a-z]+)(?: [\w-]+="[^"<]*")*(\/?)>|[^<]+|</gi
  )) {
    if (name === undefined) texts.push(token)
    else if (closing === '/' && open.pop() !== name) throw new Error(`'</${name}>' closes nothing`)
    else if (closing === '' && selfClosing === '') open.push(name)
  }
  const wrong = texts.find((text) => unescaped.test(text))
  if (wrong !== undefined) throw new Error(`'${wrong}' is not escaped`)
  if (open.length > 0) throw new Error(`${open.join()} is not closed`)
  return texts.filter((text) => text.trim() !== '')
}

test('the SVG is XML, and says what the graph says', (t) => {
  const texts = textsOf(toSvg(sagaGraph(small)))
  t.is(texts[0], `Saga test, revision ${small.revision}`)
  for (const text of ['Started', 'Refund', 'pack', 'Release', 'pay', 'until Arrived', 'Finished', 'Empty'])
    t.true(texts.includes(text), text)
  t.true(texts.includes('when start.vip &amp;&amp; start.id &lt; &#39;x&#39;'))
  t.true(texts.includes('from the pivot on, only forward'))
  t.true(texts.includes('bill: shop\nShip\nwhen start.vip &amp;&amp; start.id &lt; &#39;x&#39;'))
})

test('a saga without a pivot has no zone behind it', (t) => {
  t.false(toSvg(sagaGraph(load(withSteps(`    - ${ship('pack')}\n`)))).includes('only forward'))
})

test('whatever a label holds, the SVG stays XML, and a long text is cut', (t) => {
  const evil = `</text><script>"'&\u0001\uD800${'long '.repeat(20)}`
  const steps = small.steps.map((each) => ({ ...each, command: evil, when: { source: evil, evaluate: () => true } }))
  const definition: Definition = { ...small, name: evil, steps }
  const texts = textsOf(toSvg(sagaGraph(definition)))
  t.is(texts[0], `Saga &lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;  ${'long '.repeat(20)}, revision ${small.revision}`)
  t.true(texts.includes('&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;  long long lon…'))
})

test('no two boxes overlap, and all lie inside of the drawing', (t) => {
  const wide = load(
    withSteps(`    - parallel:
        - ${ship('a', 'compensate: { command: Release, with: { id: start.id } }')}
        - steps:
            - ${ship('b', 'when: start.vip, compensate: { command: Refund, with: { id: start.id } }')}
            - parallel:
                - ${ship('c', 'compensate: { command: Release, with: { id: start.id } }')}
                - ${ship('d', 'until: Arrived, compensate: none')}
                - steps: [${ship('e')}, ${ship('f')}]
        - ${ship('g')}
    - parallel: [${ship('h')}]
`)
  )
  for (const definition of [small, wide]) {
    const { boxes, width, height } = layOut(sagaGraph(definition))
    const all = [...boxes.values()]
    t.is(all.length, sagaGraph(definition).nodes.length)
    for (const a of all) {
      t.true(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height, a.node.id)
      t.deepEqual(
        all.filter((b) => overlap(a, b)).map(({ node }) => node.id),
        [a.node.id]
      )
    }
  }
})

const overlap = (a: Box, b: Box): boolean =>
  a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height

test('what follows stands to the right', (t) => {
  const graph = sagaGraph(small)
  const { boxes } = layOut(graph)
  for (const { from, to } of graph.edges.filter(({ kind }) => kind === 'next')) {
    t.true(boxes.get(from)!.x + boxes.get(from)!.width < boxes.get(to)!.x, `${from} to ${to}`)
  }
  for (const { from, to } of graph.edges.filter(({ kind }) => kind === 'undo')) {
    t.true(boxes.get(from)!.y + boxes.get(from)!.height < boxes.get(to)!.y, `${from} to ${to}`)
  }
})
