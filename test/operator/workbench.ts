import { type Contract, type Contracts, contractSet, readContract } from '../../src/contract/index.ts'
import { boundedPorts } from '../../src/operator/bounded-ports.ts'
import type { ParticipantResource, SagaResource } from '../../src/operator/crd/index.ts'
import { Controller } from '../../src/operator/kube/controller.ts'
import type { Occurrence } from '../../src/operator/kube/event-recorder.ts'
import { ParticipantReconciler } from '../../src/operator/participant-reconciler.ts'
import type { Ports, PublishedSaga, RunningCount } from '../../src/operator/ports.ts'
import { type Resource, ResourceClient } from '../../src/operator/resource-client.ts'
import { SagaReconciler } from '../../src/operator/saga-reconciler.ts'
import { VirtualTime } from '../helpers/virtual-time.ts'
import { MemoryResources } from './memory-resources.ts'

/** The reconcilers at work on resources in memory, on a virtual clock. What is outside can be made to fail. */
export class Workbench {
  readonly time: VirtualTime
  readonly sagas = new MemoryResources<SagaResource>((name) => this.#sagaController.enqueue(name))
  readonly participants = new MemoryResources<ParticipantResource>((name) => this.#participantController.enqueue(name))
  readonly published: (PublishedSaga & { saga: string })[] = []
  readonly events: string[] = []
  readonly errors: string[] = []
  readonly acceptFaults: Error[] = []
  readonly publishFaults: Error[] = []
  /** Why a participant is not withdrawn, as long as it is so. */
  withdrawFault: Error | undefined
  /** What was beside the participant that was accepted last. */
  beside: { readonly sagas: readonly string[]; readonly participants: readonly string[] } | undefined
  running: readonly RunningCount[] | Error = []
  contracts: Contracts
  mayAct = (): void => undefined
  readonly #accepted = new Map<string, Contract>()
  readonly #sources = new Map<string, string>()
  readonly #ports: Ports
  readonly #sagaController: Controller
  readonly #participantController: Controller

  /** `ports`: what is outside, where that is not to be in memory. */
  constructor(title: string, contracts: Contracts, ports?: Ports) {
    this.time = new VirtualTime(title)
    this.contracts = contracts
    this.#ports = boundedPorts(ports ?? this.#outside, this.#clock)
    for (const contract of contracts.all) this.#accepted.set(contract.participant, contract)
    const participants = new ParticipantReconciler({
      ...{ client: this.#client(this.participants, 'participants'), namespace: 'shop' },
      participants: this.#ports.participants,
      sagas: () => this.sagas.all(),
      onSettled: () => this.#wakeSagas()
    })
    const sagas = new SagaReconciler({
      client: this.#client(this.sagas, 'sagas'),
      namespace: 'shop',
      ports: this.#ports,
      pendingParticipants: () => participants.pending(),
      runningOf: () => undefined
    })
    ports?.participants.onChanged(() => this.#wake())
    this.#wake = () => {
      this.#wakeSagas()
      for (const name of participants.waiting(['held', 'inUse', 'refused'])) this.#participantController.enqueue(name)
    }
    this.#sagaController = this.#controller('saga', sagas)
    this.#participantController = this.#controller('participant', participants)
    this.#participantController.start()
    this.#sagaController.start()
  }

  #wake: () => void = () => undefined
  /** What the log does with a question or a record; it may never answer. */
  log = async (): Promise<void> => undefined

  newest(saga: string): PublishedSaga | undefined {
    return this.published.findLast((published) => published.saga === saga)
  }

  #published() {
    return [...this.#sources].filter(([name]) => this.#accepted.has(name)).map(([name, source]) => ({ name, source }))
  }

  #wakeSagas(): void {
    for (const { metadata } of this.sagas.all()) this.#sagaController.enqueue(metadata.name)
  }

  get #clock() {
    return {
      now: () => this.time.now(),
      at: (at: number, call: () => void) => this.time.after(at - this.time.now(), call)
    }
  }

  readonly #outside: Ports = {
    definitions: {
      newest: async (saga) => {
        await this.log()
        return this.newest(saga)
      },
      sagas: () => [...new Set(this.published.map(({ saga }) => saga))],
      publish: async (definition) => {
        throwNext(this.publishFaults)
        await this.log()
        this.published.push(definition)
      }
    },
    participants: {
      contracts: () => this.contracts,
      published: () => this.#published(),
      accept: async ({ name, source, yaml }, beside) => {
        const sagas = beside?.sagas().map((saga) => saga.source) ?? []
        this.beside = { sagas, participants: beside?.participants().map((other) => other.source) ?? [] }
        throwNext(this.acceptFaults)
        const contract = readContract({ path: source, text: yaml })
        const others = [...this.#accepted.values()].filter(({ participant }) => participant !== name)
        this.contracts = contractSet([...others, contract])
        this.#accepted.set(name, contract)
        this.#sources.set(name, source)
        this.#wake()
      },
      withdraw: async (name) => {
        if (this.withdrawFault !== undefined) throw this.withdrawFault
        this.#accepted.delete(name)
        this.contracts = contractSet([...this.#accepted.values()])
        this.#wake()
      },
      onChanged: () => () => undefined
    },
    running: {
      count: async () => {
        if (this.running instanceof Error) throw this.running
        return this.running
      }
    }
  }

  #client<T extends Resource>(resources: MemoryResources<T>, plural: string): ResourceClient<T> {
    return new ResourceClient<T>({
      kind: { group: 'parcomolo.io', version: 'v1alpha1', kind: '', plural },
      ...{ api: resources, copy: resources, clock: this.#clock },
      record: ({ object, reason }: Occurrence) => void this.events.push(`${object.metadata.name} ${reason}`),
      mayAct: () => this.mayAct()
    })
  }

  #controller(name: string, reconciler: SagaReconciler | ParticipantReconciler): Controller {
    return new Controller({
      ...{ name, clock: this.#clock, random: this.time.random, workers: 1 },
      reconcile: (key) => reconciler.reconcile(key),
      keys: () => reconciler.names(),
      onError: (error, key) => void this.errors.push(`${key}: ${String(error)}`)
    })
  }
}

const throwNext = (faults: Error[]): void => {
  const fault = faults.shift()
  if (fault !== undefined) throw fault
}
