import test from 'ava'
import { told } from '../helpers/auditor.ts'
import { auditBeside, auditTold, type PassedOverTold, type SagaVersion } from '../helpers/auditor/beside.ts'
import { Journals, type Value } from '../helpers/auditor/events.ts'
import { auditPublished, type Edited } from '../helpers/auditor/published.ts'
import { encoded, type Fact, schemas, written } from './journal-writing.ts'

const own = ({ orderId }: Value): string => String(orderId)
const text = (extra: string): string => `metadata: { name: watch }\n${extra}`

/** The second cannot tell the key of order `x`, and is cancelled by another key. */
const first: SagaVersion = {
  ...{ text: text('command: AwardPoints'), start: own, cancel: own, end: () => 'completed' },
  needs: [/AwardPoints/]
}
const second: SagaVersion = {
  text: text('command: AwardPoints, again'),
  start: (event) => (own(event) === 'x' ? undefined : own(event)),
  cancel: (event) => `other-${own(event)}`
}

const contract = 'metadata: { name: loyalty }\nrecord AwardPoints { }'
const lacking = 'metadata: { name: loyalty }\nrecord Another { }'

/** What happens on the journals, in its order; each saga is that of an order of the same name. */
class Story {
  readonly #facts: Fact[] = []
  #headers: Record<string, string> = {}

  add(topic: string, type: string, value: Record<string, unknown>, at = 0): this {
    this.#facts.push({ topic, type, value, headers: this.#headers, at })
    this.#headers = {}
    return this
  }

  publish({ text: yaml }: SagaVersion, at = 0): this {
    const revision = yaml === first.text ? 'r1' : 'r2'
    return this.add('saga-definitions', 'DefinitionPublished', { saga: 'watch', revision, yaml }, at)
  }

  publishContract(yaml: string, at = 0): this {
    return this.add('saga-definitions', 'ParticipantPublished', { yaml }, at)
  }

  place(orderId: string): this {
    return this.add('order-events', 'OrderPlaced', { orderId, lines: [], totalCents: 1 })
  }

  cancel(orderId: string): this {
    return this.add('order-events', 'OrderCancelled', { orderId })
  }

  start(key: string, revision: string, orderId = key): this {
    const start = encoded('OrderPlaced', { orderId, lines: [], totalCents: 1 })
    return this.add('saga-events', 'SagaStarted', { saga: 'watch', key, revision, start })
  }

  saga(type: string, key: string, at = 0): this {
    return this.add('saga-events', type, { saga: 'watch', key, step: '' }, at)
  }

  /** The next event says how far the orders were read. */
  read(to: number): this {
    this.#headers = { 'parcomolo-positions': JSON.stringify({ 'order-events/0': to }) }
    return this
  }

  judge(edited: Partial<Edited> = {}): string {
    const journals = this.#journals
    const nothing = { impossible: [], incompatible: [], folder: [], late: new Set<number>() }
    const all = { versions: [first, second], ...nothing, ...edited }
    const published = edited.folder === undefined ? { ...all, folder: this.#texts } : all
    return told([...auditBeside(journals, all.versions, true), ...auditPublished(journals, published, true)])
  }

  tell(...messages: readonly string[]): string {
    return this.told({ messages, counts: undefined })
  }

  told({ messages, counts }: { messages: readonly string[]; counts: PassedOverTold['counts'] }): string {
    const all = { counts, mayBeLost: false, messages: messages.map((message) => ({ process: 'n1', message })) }
    return told(auditTold(this.#journals, [first, second], all))
  }

  get #journals(): Journals {
    return new Journals(written(this.#facts), schemas)
  }

  get #texts(): string[] {
    return this.#facts.flatMap(({ value }) => (typeof value['yaml'] === 'string' ? [value['yaml']] : []))
  }
}

const published = () => new Story().publishContract(contract).publish(first)
const edited = () => published().publish(second)
const begun = () => published().place('a').start('a', 'r1')

const sound: Readonly<Record<string, Story>> = {
  'an instance that begins and ends': begun().saga('SagaCompleted', 'a'),
  'an event that one of the versions cannot read': edited().place('x'),
  'a cancel by the key of its own revision': edited()
    .place('a')
    .start('a', 'r2')
    .cancel('a')
    .read(2)
    .saga('StepSucceeded', 'a')
    .read(3)
    .saga('SagaCompleted', 'a'),
  'an instance that stands still for what a contract has lacked, and goes on': begun()
    .publishContract(lacking, 10)
    .saga('SagaParked', 'a', 20)
    .publishContract(contract, 30)
    .saga('SagaResumed', 'a', 40)
    .saga('SagaCompleted', 'a'),
  'a contract that was judged while a saga was published': published()
    .publish(second, 20_000)
    .publish(first, 25_000)
    .publishContract(lacking, 30_000),
  'a contract that comes with a saga that does without': published()
    .publishContract(lacking, 20_000)
    .publish(second, 20_000)
}

for (const [what, story] of Object.entries(sound)) test(`accepts ${what}`, (t) => t.is(story.judge(), ''))

const doctored: Readonly<Record<string, readonly [RegExp, Story, Partial<Edited>?]>> = {
  'a key that is not that of its revision': [
    /saga 'watch\/b' has begun, but its revision gives its event the key 'a'/,
    published().place('a').start('b', 'r1', 'a').saga('SagaCompleted', 'b')
  ],
  'an instance of an event whose key its revision cannot tell': [
    /saga 'watch\/x' has begun, but its revision cannot tell any key/,
    edited().place('x').start('x', 'r2').saga('SagaCompleted', 'x')
  ],
  'an event that is lost for a saga that can read it': [
    /'a' has begun 0 instances of 'watch', though each version can tell its key/,
    edited().place('a')
  ],
  'an end that is not that of the version': [
    /saga 'watch\/a' has ended compensated, and should have ended completed/,
    begun().saga('SagaCompensated', 'a')
  ],
  'a cancel by the key of another revision': [
    /saga 'watch\/a' was cancelled, but by no key of its revision/,
    edited().place('a').start('a', 'r2').cancel('a').saga('CancelRequested', 'a').saga('SagaCompensated', 'a')
  ],
  'a cancel that was not heard': [
    /saga 'watch\/a' has not heard of its cancel/,
    begun()
      .cancel('a')
      .read(2)
      .saga('StepSucceeded', 'a')
      .read(3)
      .saga('StepSucceeded', 'a')
      .read(4)
      .saga('StepSucceeded', 'a')
      .saga('SagaCompleted', 'a')
  ],
  'an instance that stands still though its contract is there': [
    /stands still, though no contract has lacked what it names/,
    begun().saga('SagaParked', 'a', 20).publishContract(lacking, 30).saga('SagaResumed', 'a').saga('SagaCompleted', 'a')
  ],
  'an instance that stands still for ever': [
    /stands still, though all that it names is there again/,
    begun().publishContract(lacking, 10).saga('SagaParked', 'a', 20).publishContract(contract, 30)
  ],
  'a contract without what a saga in force needs': [
    /a contract is published without what a saga in force needs/,
    published().publishContract(lacking, 20_000)
  ],
  'a contract that nobody may take': [
    /a contract is published that was to be refused/,
    published(),
    { impossible: [contract] }
  ],
  'a registry that judges by what was refused': [
    /the registry has refused what fits all that was in force/,
    published(),
    { incompatible: [contract] }
  ],
  'a folder that is not in force': [
    /DefinitionPublished watch is not as it stands in the folder/,
    published(),
    { folder: [contract, second.text] }
  ]
}

for (const [what, [expected, story, files]] of Object.entries(doctored))
  test(`rejects ${what}`, (t) => t.regex(story.judge(files), expected))

const tells = (revision: string, offset: number): string =>
  `saga 'watch' at revision '${revision}' passes over 'OrderPlaced' at order-events/0/${offset}, which all others have`

test('what was passed over is told as it is, once, and counted', (t) => {
  const story = (): Story => edited().place('x').place('a').start('a', 'r1')
  t.is(story().tell(tells('r2', 0)), '')
  t.regex(story().tell(tells('r1', 0)), /n1 tells what is not so/)
  t.regex(story().tell(tells('r2', 1)), /n1 tells what is not so/)
  t.regex(story().tell(tells('r2', 0), tells('r2', 0)), /n1 tells it again/)
  t.is(story().told({ messages: [], counts: new Map([['watch', 1]]) }), '')
  t.regex(story().told({ messages: [], counts: new Map() }), /'watch' has passed over 1 events, and counted 0/)
})
