import type { ElapsedClock, ParcomoloError } from '../base/index.ts'
import { boundedPorts } from './bounded-ports.ts'
import { type ParticipantResource, participantNames, type SagaResource, sagaNames } from './crd/index.ts'
import {
  connect,
  EventRecorder,
  type Health,
  healthOf,
  KubeApi,
  LeaderElector,
  type LeaderTimes,
  leadershipLost,
  loadKubeConfig,
  metricsText,
  namespaceOf,
  type Occurrence,
  type Parts
} from './kube/index.ts'
import { ParticipantReconciler } from './participant-reconciler.ts'
import type { Ports } from './ports.ts'
import { RunningCounts } from './running-counts.ts'
import { SagaReconciler } from './saga-reconciler.ts'
import { watchKind, type WatchedKind } from './watched-kind.ts'

export type OperatorDeps = {
  readonly ports: Ports
  readonly clock: ElapsedClock
  /** The pod's name and something random: different for each process. */
  readonly identity: string
  /** Whatever has gone wrong; the operator goes on. */
  readonly onError: (error: unknown, where: string) => void
  /** A file; KUBECONFIG or the service account of the pod if not given. */
  readonly kubeconfig?: string
  /** Which it watches, and has its Lease in; that of the kubeconfig's context or of the pod if not given. */
  readonly namespace?: string
  readonly leaseName?: string
  readonly leaderTimes?: Partial<LeaderTimes>
  /** In [0, 1). */
  readonly random?: () => number
}

export type Operator = {
  readonly namespace: string
  /** Others that run beside it wait. */
  readonly isLeader: boolean
  /** Resolves when it leads, knows all resources, and is at work. */
  readonly atWork: Promise<void>
  /** Resolves when it has led and does not any more: the process has to end, for it never works again. */
  readonly lost: Promise<ParcomoloError>
  health(): Health
  /** In Prometheus' text format. */
  metrics(): string
  /** Ends what is under way, and lets the next one lead. */
  stop(): Promise<void>
}

const controllerName = 'parcomolo.io/operator'

/**
 * Starts an operator for one namespace. It tries for as long as it takes to reach the API server, and throws only
 * PARCOMOLO_OPERATOR_CONFIG.
 */
export const startOperator = (deps: OperatorDeps): Operator => new OneOperator(deps)

/** All parts of an operator, and what each has to tell the others. */
class OneOperator implements Operator {
  readonly atWork: Promise<void>
  readonly lost: Promise<ParcomoloError>
  readonly #deps: OperatorDeps
  readonly #ports: Ports
  readonly #random: () => number
  readonly #api: KubeApi
  readonly #elector: LeaderElector
  readonly #recorder: EventRecorder
  readonly #sagas: WatchedKind<SagaResource, SagaReconciler>
  readonly #participants: WatchedKind<ParticipantResource, ParticipantReconciler>
  readonly #counts: RunningCounts
  readonly #parts: Parts
  readonly #forgetContracts: () => void
  #isStopped = false

  constructor(deps: OperatorDeps) {
    this.#deps = deps
    this.#ports = boundedPorts(deps.ports, deps.clock)
    this.#random = deps.random ?? Math.random
    const config = loadKubeConfig(deps.kubeconfig)
    this.#api = new KubeApi(connect(config, deps.clock), deps.namespace ?? namespaceOf(config))
    this.#elector = this.#makeElector()
    this.#recorder = this.#makeRecorder()
    this.#participants = this.#watchParticipants()
    this.#sagas = this.#watchSagas()
    this.#counts = this.#makeCounts()
    this.#forgetContracts = deps.ports.participants.onChanged(() => {
      this.#wakeSagas()
      this.#wakeParticipants(['held', 'inUse', 'refused'])
    })
    const both = [this.#sagas, this.#participants]
    this.#parts = {
      reflectors: new Map(both.map(({ plural, reflector }) => [plural, reflector])),
      controllers: both.map(({ controller }) => controller),
      elector: this.#elector,
      recorder: this.#recorder
    }
    for (const { reflector } of both) reflector.start()
    this.#elector.start()
    this.atWork = this.#beginWork()
    this.lost = this.#elector.lost.then((error) => {
      // Whoever waits for it ends the process, also where what is under way does not end.
      void this.#stopWork()
      return error
    })
  }

  get namespace(): string {
    return this.#api.namespace
  }

  get isLeader(): boolean {
    return this.#elector.isLeader
  }

  health(): Health {
    return healthOf(this.#parts, this.#deps.clock)
  }

  metrics(): string {
    return metricsText(this.#parts)
  }

  async stop(): Promise<void> {
    await this.#stopWork()
    await Promise.all([this.#sagas.reflector.stop(), this.#participants.reflector.stop()])
    await this.#recorder.stop()
    // Last of all: from here on somebody else may lead.
    await this.#elector.stop()
    await this.#api.close()
  }

  async #beginWork(): Promise<void> {
    await Promise.all([this.#elector.elected, this.#sagas.reflector.synced, this.#participants.reflector.synced])
    if (this.#isStopped) return
    // Participants first, since sagas need them.
    this.#participants.controller.start()
    this.#sagas.controller.start()
    this.#counts.start()
  }

  async #stopWork(): Promise<void> {
    this.#isStopped = true
    this.#forgetContracts()
    await Promise.all([this.#sagas.controller.stop(), this.#participants.controller.stop(), this.#counts.stop()])
  }

  #wakeSagas(): void {
    for (const { metadata } of this.#sagas.reflector.all()) this.#sagas.controller.enqueue(metadata.name)
  }

  #wakeParticipants(which: Parameters<ParticipantReconciler['waiting']>[0]): void {
    for (const name of this.#participants.reconciler.waiting(which)) this.#participants.controller.enqueue(name)
  }

  #watchParticipants(): WatchedKind<ParticipantResource, ParticipantReconciler> {
    return watchKind<ParticipantResource, ParticipantReconciler>({
      ...this.#common(),
      names: participantNames,
      // Each changes what all others are checked against.
      workers: 1,
      makeReconciler: (client) =>
        new ParticipantReconciler({
          ...{ client, namespace: this.namespace, participants: this.#ports.participants },
          sagas: () => this.#sagas.reflector.all(),
          onSettled: () => this.#wakeSagas()
        }),
      onChanged: () => undefined
    })
  }

  #watchSagas(): WatchedKind<SagaResource, SagaReconciler> {
    return watchKind<SagaResource, SagaReconciler>({
      ...this.#common(),
      names: sagaNames,
      workers: 4,
      makeReconciler: (client) =>
        new SagaReconciler({
          ...{ client, namespace: this.namespace, ports: this.#ports },
          pendingParticipants: () => this.#participants.reconciler.pending(),
          runningOf: (saga) => this.#counts.of(saga)
        }),
      onChanged: () => this.#wakeParticipants(['held', 'inUse'])
    })
  }

  #common() {
    return {
      ...{ api: this.#api, clock: this.#deps.clock, random: this.#random, onError: this.#deps.onError },
      record: (occurrence: Occurrence) => this.#recorder.record(occurrence),
      mayAct: () => {
        if (!this.#elector.isLeader) throw leadershipLost(this.#deps.identity, 'its time is up')
      }
    }
  }

  #makeCounts(): RunningCounts {
    const { clock, onError } = this.#deps
    return new RunningCounts({
      ...{ running: this.#ports.running, clock },
      onChanged: (sagas) =>
        (sagas ?? this.#sagas.reconciler.names()).forEach((name) => this.#sagas.controller.enqueue(name)),
      onError: (error) => onError(error, 'count of running instances')
    })
  }

  #makeRecorder(): EventRecorder {
    const { clock, identity, onError } = this.#deps
    return new EventRecorder({
      ...{ events: this.#api, clock, controller: controllerName, instance: identity },
      onError: (error) => onError(error, 'events')
    })
  }

  #makeElector(): LeaderElector {
    const { identity, clock, leaseName = 'parcomolo-operator', leaderTimes, onError } = this.#deps
    return new LeaderElector({
      ...{ leases: this.#api.leaseStore(leaseName), identity, clock, random: this.#random },
      onError: (error) => onError(error, `lease '${leaseName}'`),
      ...(leaderTimes === undefined ? {} : { times: leaderTimes })
    })
  }
}
