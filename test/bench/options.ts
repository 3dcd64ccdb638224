import { parseArgs } from 'node:util'
import { type forms, startOnKafka } from './kafka/target.ts'
import { startEmbedded } from './parcomolo.ts'
import { startRestate } from './restate/target.ts'
import { type Saga, sagas, type Start } from './target.ts'

export const usage = `npm run bench -- [--on embedded,kafka,services] [--driver rest|records]
                 [--clients 1,64,256] [--seconds 10] [--warmup 5] [--declined 10] [--skus 1000]
                 [--saga order | seed | seed,order] [--flow orchestration|choreography] [--partitions N]
                 [--rival restate] [--rounds 2] [--processes] [--broker-pids PID,PID] [--view] [--freshness]

Closed loop: each client places an order, waits for its end, and places the next. Driver and servers share the machine.
Clients come at 1,000 a second. One that is sent away (503 with Retry-After) comes again when it has been told to;
'refused p99 ms' is how long it took to be told so.
Latencies are from sending the order to knowing its end; 'undone' is that of a declined order whose compensations are
all confirmed, and its ratio to the one of a paid order.

--on embedded: one process, with its log synced to disk (what runs if nothing is said).
--on kafka:    all roles in one process, on the Kafka of KAFKA_BROKERS and SCHEMA_REGISTRY_URL (and KAFKA_PREFIX, …).
--on services: each service in a process of its own, on the same Kafka: order, inventory, payment, shipping,
               orchestrator, operator with view. What is written on Kafka has a fresh prefix, and is removed.
Several are measured in turn. Produce and fetch requests are those of all processes of a target, without the driver's.

--driver rest:    two requests an order: POST, then GET, which is held until its end.
--driver records: each order is written to the inbox of the order service, and its end read from the sagas' journal,
                  past REST and the read model. So no process has the role view, unless --view is given. Only on Kafka.

--saga order: the shop's own saga: reserve, pay, confirm, ship, then dispatch, complete; undone by release and reject.
--saga seed:  the seed's flow: reserve, pay, ship (test/bench/sagas/seed.yaml). With a rival both are run.

--partitions:  of each journal and inbox but those of inventory, which has one; else as the product has it (Kafka: 12).
--processes:   below each row, what each process of it has done: inputs a round, records a batch, and so on.
--freshness:   every tenth order is asked for with its Parcomolo-Position as soon as it is placed: 'seen p99 ms' is how
               long that took. With --driver records nobody asks.
--broker-pids: the brokers' processes, where they run here: what they use is then shown and compared, too.

--rival restate runs the same orders through Restate, too, and prints how many times better we are, over all rounds.
All are warmed up, then measured in turn: A B A B for 2 rounds of each number of clients. It needs Linux.
- Restate's server runs on one node with its own settings: each record is synced to disk before it counts. Only two are
  changed: one partition for each core, which serves it better than its 24, and telemetry off. The order with its saga,
  stock, payment and shipping are virtual objects in TypeScript, in four processes of their own.
- The CPU of all processes of a side counts; of brokers, if --broker-pids names them. Who is not measured stands idle,
  which costs some 3 % of one core.
- To Restate's advantage: one request an order (a call, whose answer is the end) instead of two (POST, then GET);
  no read model, no checks of requests and contracts; confirming, completing and rejecting are fields of the order's
  object and not commands to a service of its own, so that even in the seed's flow we have one command more, which is
  to complete; stock is two counts, with no reservation for each order; goods are spread over --skus objects, since all
  who want the same would stand in line.
- To ours: --on embedded and kafka have all services in one process, where Restate's five talk over the network; on
  Kafka nothing is synced to disk before it counts, since that is how Kafka is run: what is safe there are its copies.
  With --driver records ours are spared REST and the read model, and Restate's orders still come by HTTP.`

const { values } = parseArgs({
  options: {
    on: { type: 'string', default: 'embedded' },
    driver: { type: 'string', default: 'rest' },
    view: { type: 'boolean', default: false },
    freshness: { type: 'boolean', default: false },
    partitions: { type: 'string' },
    'broker-pids': { type: 'string' },
    processes: { type: 'boolean', default: false },
    clients: { type: 'string', default: '1,64,256' },
    seconds: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '5' },
    declined: { type: 'string', default: '10' },
    skus: { type: 'string', default: '1000' },
    saga: { type: 'string' },
    flow: { type: 'string', default: 'orchestration' },
    rival: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false }
  }
})

const isRecords = values.driver === 'records'

export const options = {
  isHelp: values.help,
  clients: values.clients.split(',').map(Number),
  seconds: Number(values.seconds),
  warmupSeconds: Number(values.warmup),
  declinedPercent: Number(values.declined),
  skus: Array.from({ length: Number(values.skus) }, (_, i) => `sku-${i}`),
  flow: values.flow,
  driver: values.driver,
  rival: values.rival,
  rounds: Number(values.rounds),
  showsProcesses: values.processes,
  asksForSeen: values.freshness
}

/** Those that are known among the words of an option. */
const chosen = <T extends string>(option: string, text: string, known: readonly T[]): readonly T[] =>
  text.split(',').map((word) => {
    const found = known.find((one) => one === word)
    if (found === undefined) throw new Error(`--${option}: '${word}' is not known; expected ${known.join(' or ')}`)
    return found
  })

export const sagasAsked = (): readonly Saga[] => {
  const asked = chosen('saga', values.saga ?? (values.rival === undefined ? 'order' : 'seed,order'), sagas)
  if (values.flow !== 'orchestration' && asked.includes('seed'))
    throw new Error(`--saga: in ${values.flow} no saga is run, and 'seed' is nothing but a saga; leave it out`)
  return asked
}

/** Our product in each of the forms asked for. */
export const ours = (): readonly Start[] => {
  const [driver] = chosen('driver', values.driver, ['rest', 'records'])
  if (driver === 'records' && values.flow !== 'orchestration')
    throw new Error(`--driver records: the end of an order is that of its saga, and in ${values.flow} there is none`)
  return chosen('on', values.on, ['embedded', 'kafka', 'services']).map((on) => startOf(on, driver!))
}

const startOf =
  (on: 'embedded' | keyof typeof forms, driver: 'rest' | 'records'): Start =>
  (resources, saga) => {
    const common = { flow: values.flow, saga, partitions: values.partitions }
    if (on !== 'embedded') {
      const brokerPids = values['broker-pids']?.split(',').map(Number) ?? []
      return startOnKafka(resources, { ...common, form: on, driver, hasView: !isRecords || values.view, brokerPids })
    }
    if (driver === 'rest') return startEmbedded(resources, common)
    throw new Error('--driver records: the embedded log is open to one process only; expected --on kafka or services')
  }

export const rivals = (): readonly Start[] =>
  values.rival === undefined ? [] : chosen('rival', values.rival, ['restate']).map(() => startRestate)
