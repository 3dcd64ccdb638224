import { type Scope } from '../../../src/saga/index.ts'
import { errorsOf, load, withSteps } from '../load/fixture.ts'

/**
 * One expression at a time: what `Take`, the third step, is given for one of its fields. The reply of `maybe` may be
 * missing, that of `sure` not.
 */

const steps = (field: string, expression: string): string =>
  withSteps(`    - { name: maybe, command: Assess, when: start.vip, compensate: none, with: { id: start.id } }
    - { name: sure, command: Assess, compensate: none, with: { id: start.id } }
    - name: take
      command: Take
      compensate: none
      with:
        ${field}: |-
          ${expression}
`)

/** What is wrong with an expression: the place of its character, from 1, and the message. */
export const faultsOf = (field: string, expression: string): string[] =>
  errorsOf(steps(field, expression)).map((text) =>
    text.replace(/^s\.yaml:14:(\d+) steps\[2\]\.with\.\w+: /, (_, column) => `${Number(column) - 10} `)
  )

export const evaluatorOf = (field: string, expression: string): ((scope?: Scope) => unknown) => {
  const take = load(steps(field, expression)).steps[2]!
  return (scope = usual) => take.arguments.evaluate(scope)[field]
}

export const started = {
  id: 's1',
  total: 5_000_000_000,
  count: 7,
  rate: 1.5,
  share: 0.5,
  vip: true,
  level: 'HIGH',
  urgency: 'LOW',
  blob: new Uint8Array([1, 2]),
  lines: [
    { sku: 'a', quantity: 2, priceCents: 100, remark: null },
    { sku: 'b', quantity: 3, priceCents: 50, remark: 'gift' }
  ],
  tags: ['x', 'y'],
  numbers: [1, 2, 3],
  labels: { de: 'Buch' },
  sums: { total: 5 },
  home: { city: 'Ulm', zip: null },
  note: null,
  place: null,
  limit: 9,
  mixed: 4,
  odd: null,
  ratio: 0.25,
  nil: null
}

export const assessed = {
  id: 's1',
  score: 4,
  clerk: 'c',
  at: { city: 'Bonn', zip: '53111' },
  notes: ['n'],
  sums: { x: 1 }
}

export const usual: Scope = {
  start: started,
  steps: { sure: assessed },
  saga: { name: 'test', key: 's1', revision: 'r1' }
}
