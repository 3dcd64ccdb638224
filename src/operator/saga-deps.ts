import type { SagaResource } from './crd/index.ts'
import type { Ports, RunningCount } from './ports.ts'
import type { ResourceClient } from './resource-client.ts'

export type SagaDeps = {
  readonly client: ResourceClient<SagaResource>
  readonly namespace: string
  readonly ports: Ports
  /** Participants that are there as resources, and whose contracts are not in force yet, though they may come to be. */
  readonly pendingParticipants: () => readonly string[]
  /** As they were counted last; undefined before that. */
  readonly runningOf: (saga: string) => readonly RunningCount[] | undefined
}
