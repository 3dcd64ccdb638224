import { parseArgs } from 'node:util'
import { type ShopRole, shopRoles } from './stage.ts'

/** Which cases there are, with the orders that wait in each if nothing else is said. */
const standard = {
  order: 60_000,
  inventory: 200_000,
  payment: 60_000,
  shipping: 60_000,
  orchestrator: 200_000,
  view: 200_000,
  'new-view': 1_000_000,
  embedded: 4_096
} as const satisfies Readonly<Record<ShopRole | 'new-view' | 'embedded', number>>

type CaseName = keyof typeof standard

export const usage = `npm run backlog -- [--cases ${Object.keys(standard).join()}] [--orders N]
                   [--warmup 5] [--seconds 10] [--away 30] [--patience 120] [--json]

What waits must cost the disk, not the memory, and must not grow by itself. Needs KAFKA_BROKERS and SCHEMA_REGISTRY_URL;
what is written there has a fresh prefix for each case, and is removed. Linux only; as root, memory is limited by the
kernel's control groups, else whoever is above its limit is killed.

Each role of the chart is a process of its own, of the built product, with the chart's NODE_OPTIONS, partitions and
limit of memory (charts/parcomolo/values.yaml). One that dies is begun again, up to five times.

${shopRoles.join(', ')}: the role goes away (for --away seconds at least), orders are
placed, and it comes back; --patience: given up when no order has moved for so many seconds. role=N has N orders wait,
--orders N all of them. Before and after it the same processes are kept busy for --seconds, 256 orders at a time: that
is 'usual'. Meanwhile a saga of another participant starts every 50 ms, and people order by REST.

new-view: a view with nothing, behind the journals of N orders, which a generator has written; it builds its rows at
>= 10,000 orders/s, and is stopped. Then another one with nothing, which is right within 15 s from what that one saved.
embedded: one process on the embedded log, with 256 and with N clients in turn, two times each; goal >= 0.95 times,
and who is refused knows it within 50 ms (p99).

peak MB, of MB:   the most that was resident of the process that came nearest to its limit, without the pages of files,
                  which the kernel takes back when it needs them; and this limit
commands/order:   records on the inboxes of the four services for each order placed; goal <= 1.1 times the usual
orders/s, times:  orders ended from the first end after the return to the last, against the usual; goal >= 0.8.
                  Of the view: orders read from its return until it shows the last
first s, done s:  from the return until the first order has ended, and the last; of the view until the first order was
                  taken by REST, and until it shows the last

At the end the journals are read: each order sent or promised is there once, has ended, and so has its saga; some of
them are audited as a whole. Goals in counts that are missed end the program with code 1; times are only told.`

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(standard).join() },
    orders: { type: 'string' },
    warmup: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    away: { type: 'string', default: '30' },
    patience: { type: 'string', default: '120' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

export const options = {
  isHelp: values.help,
  isJson: values.json,
  warmupSeconds: Number(values.warmup),
  usualSeconds: Number(values.seconds),
  awaySeconds: Number(values.away),
  patienceSeconds: Number(values.patience)
}

export type Case = { readonly name: CaseName; readonly orders: number }

export const casesAsked = (): readonly Case[] =>
  values.cases.split(',').map((word) => {
    const [name, orders] = word.split('=')
    if (!isCase(name!))
      throw new Error(`--cases: '${word}' is not known; expected ${Object.keys(standard).join(' or ')}, or one with =N`)
    return { name, orders: Number(orders ?? values.orders ?? standard[name]) }
  })

const isCase = (name: string): name is CaseName => Object.hasOwn(standard, name)
