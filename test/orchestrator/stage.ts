import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import {
  type Codec,
  type Contracts,
  contractSet,
  learnSchemas,
  readContract,
  registerContracts
} from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Headers, Log, StoredRecord, TopicPartition } from '../../src/log/index.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { startSystem, type System, type SystemDeps } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import { loadSaga } from '../../src/saga/index.ts'
import { newFolder } from '../log/folder.ts'
import { readAll } from '../log/records.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'

export const participant = `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: loyalty }
spec:
  inbox: loyalty-commands
  events: loyalty-events
  contract: |
    @namespace("test.loyalty")
    protocol Loyalty {
      record OrderPaid { string orderId; long totalCents; }
      void orderPaid(OrderPaid event) oneway;
      record AwardPoints { string orderId; long points; }
      record PointsAwarded { string orderId; long balance; }
      PointsAwarded awardPoints(AwardPoints command);
      record IssueVoucher { string orderId; long balance; }
      record VoucherIssued { string orderId; }
      VoucherIssued issueVoucher(IssueVoucher command);
    }
`

export const saga = `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: loyalty }
spec:
  start: { on: OrderPaid, key: event.orderId }
  steps:
    - name: points
      command: AwardPoints
      with: { orderId: start.orderId, points: start.totalCents / 100 }
      compensate: none
    - name: voucher
      command: IssueVoucher
      with: { orderId: start.orderId, balance: steps.points.balance }
      pivot: true
`

export const contracts = contractSet([readContract({ path: 'loyalty.yaml', text: participant })])

export type Said = { readonly type: string; readonly value: Record<string, unknown>; readonly record: StoredRecord }

type About = { readonly orderId: string; readonly answers?: Said }

/** The orchestrator alone on an embedded log; its one participant is the test. */
export class Stage {
  readonly clock = new VirtualClock(1_000_000)
  /** Whatever a process has reported. */
  readonly errors: unknown[] = []
  readonly partitions: number
  readonly contracts: Contracts
  log!: Log
  registry!: Registry
  /** The participant's own. */
  codec!: Codec

  private constructor(partitions: number, contracts: Contracts) {
    this.partitions = partitions
    this.contracts = contracts
  }

  static async open(t: ExecutionContext, partitions = 1, participants = contracts): Promise<Stage> {
    const stage = new Stage(partitions, participants)
    const folder = newFolder(t)
    stage.log = await openEmbeddedLog({ dir: join(folder, 'log') })
    stage.registry = await openEmbeddedRegistry(join(folder, 'registry'))
    t.teardown(async () => {
      await stage.log.close()
      await stage.registry.close()
    })
    stage.codec = await registerContracts(stage.registry, participants.all, ownRecords)
    return stage
  }

  /** What one process runs, with what it has learnt of the registry at its start. */
  async run(overrides: Partial<SystemDeps> = {}): Promise<System> {
    const report = (error: unknown): void => void this.errors.push(error)
    const codec = overrides.codec ?? (await registerContracts(this.registry, this.contracts.all, ownRecords))
    return startSystem({
      ...{ log: this.log, codec, contracts: this.contracts, clock: this.clock, partitions: this.partitions },
      application: theShop,
      roles: ['orchestrator'],
      owner: 'test',
      learn: (values) => learnSchemas(codec, this.registry, values),
      onFailure: report,
      onPoison: (_, error) => report(error),
      onDefinitionError: report,
      ...overrides
    })
  }

  async publish({ definitions }: System, yaml = saga): Promise<void> {
    const { name, revision } = loadSaga({ path: 'saga.yaml', text: yaml }, this.contracts)
    const publisher = await openPublisher(this.log, this.codec, this.clock)
    await publisher.publish({ saga: name, revision, source: 'saga.yaml', yaml, retired: false })
    await this.until(() => definitions.current(name) !== undefined)
  }

  /** The participant says something of an order, in any partition; `answers`: the command that it answers. */
  async say(partition: number, bytes: Uint8Array, { orderId, answers }: About): Promise<void> {
    const headers: Headers = answers === undefined ? {} : { ce_causationid: answers.record.headers['ce_id']! }
    const timestamp = this.clock.now()
    await this.log.send([{ topic: 'loyalty-events', partition, key: orderId, value: bytes, timestamp, headers }])
  }

  encode(type: string, value: object): Uint8Array {
    return this.codec.encode(`test.loyalty.${type}`, value)
  }

  /** The command of this type for this key, once it is in its inbox. */
  command(type: string, key: string): Promise<Said> {
    return this.#said('loyalty-commands', (said) => said.type === type && said.record.key === key)
  }

  /** The orchestrator's event of this type for the saga with this key. */
  event(type: string, key: string): Promise<Said> {
    return this.#said('saga-events', (said) => said.type === type && said.value['key'] === key)
  }

  /** All that stands on a topic, in the order of its partitions. */
  async said(topic: string): Promise<Said[]> {
    const places: TopicPartition[] = Array.from({ length: this.partitions }, (_, partition) => ({ topic, partition }))
    const records = (await Promise.all(places.map((place) => readAll(this.log, place)))).flat()
    const values = records.map(({ value }) => value)
    await learnSchemas(this.codec, this.registry, values)
    return records.map((record) => {
      const { type, value } = this.codec.decode(record.value!)
      return { type, value, record }
    })
  }

  /** Waits by turns of the event loop, a virtual millisecond each; ava's own timeout ends it. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.pass(1)
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async #said(topic: string, isIt: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const found = (await this.said(topic)).find(isIt)
      if (found !== undefined) return found
      await this.pass(1)
    }
  }
}
