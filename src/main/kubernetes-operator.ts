import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../base/index.ts'
import { type Operator, type ParticipantsPort, type Ports, type RunningPort, startOperator } from '../operator/index.ts'
import { type Definitions, openPublisher, type Publisher } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import type { Participants } from '../operator/files/index.ts'
import { participantsOf } from './participants.ts'
import { countRunning } from './running-counts.ts'
import type { Stage } from './stage.ts'
import { ensureTopicsOf, type SystemDeps } from './system.ts'

export type OperatorParts = {
  readonly deps: SystemDeps
  readonly definitions: Definitions
  readonly registry: Registry
}

/**
 * Follows the Saga and Participant resources of a namespace. Resolves when it has begun; that it knows what the API
 * server has, its health tells.
 */
export const openKubernetesOperator = async (
  { config, opening, diagnostics }: Stage,
  { deps, definitions, registry }: OperatorParts
): Promise<Operator> => {
  const { log, codec } = deps
  const publisher = await opening.step('claiming the definitions', () =>
    openPublisher(log, codec, systemClock, definitions)
  )
  const running = countRunning(config.viewUrl)
  const participants = participantsOf({
    ...{ application: deps.application, registry, codec, definitions, publisher },
    ensureTopics: (contract) => ensureTopicsOf(contract, deps),
    ...(config.viewUrl === null ? {} : { running })
  })
  const operator = await opening.take(
    'starting the operator',
    async () =>
      startOperator({
        ports: portsOf(definitions, publisher, participants, running),
        clock: systemClock,
        identity: `${hostname()}-${randomBytes(4).toString('hex')}`,
        ...(config.namespace === null ? {} : { namespace: config.namespace }),
        onError: (error, where) => diagnostics.error(error, `the operator goes on, but ${where} has failed`)
      }),
    (it) => it.stop()
  )
  void operator.lost.then(diagnostics.fail)
  return operator
}

export const portsOf = (
  definitions: Definitions,
  publisher: Publisher,
  participants: Participants,
  running: RunningPort
): Ports => ({
  definitions: {
    newest: async (saga) => {
      await definitions.caughtUp()
      const newest = definitions.newest(saga)
      if (newest === undefined) return undefined
      const { revision, source, yaml, retired } = newest
      return { revision, source, yaml, retired }
    },
    sagas: () => [...new Set(definitions.all().map(({ saga }) => saga))],
    publish: (definition) => publisher.publish(definition)
  },
  participants: participantsPort(definitions, participants),
  running
})

const participantsPort = (definitions: Definitions, participants: Participants): ParticipantsPort => ({
  contracts: () => definitions.contracts,
  published: () => definitions.published().map(({ contract, source }) => ({ name: contract.participant, source })),
  accept: async (participant, beside) => void (await participants.accept(participant, beside)),
  withdraw: (name) => participants.withdraw(name),
  onChanged: (listener) => definitions.onContracts(listener)
})
