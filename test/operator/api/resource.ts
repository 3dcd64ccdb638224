import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { serviceNames } from '../../helpers/shop-parts.ts'

export type Condition = { type: string; status: string; reason: string; message: string; lastTransitionTime: string }

export type Resource = {
  apiVersion?: string
  kind?: string
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    generation: number
    deletionTimestamp?: string
    finalizers?: string[]
  }
  spec: Record<string, unknown>
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    revision?: string
    stepCount?: number
    operationCount?: number
    eventCount?: number
    runningCount?: number
    running?: { revision: string; count: number; current: boolean }[]
  }
}

export type Plural = 'sagas' | 'participants'

export const fileOf = async (path: string): Promise<Resource> => parse(await readFile(path, 'utf8')) as Resource

export const participantFiles = serviceNames.map((name) => `sagas/participants/${name}.yaml`)

export const condition = (resource: Resource | undefined, type: string): Condition | undefined =>
  resource?.status?.conditions?.find((each) => each.type === type)

/** Whether the condition holds for the spec as it is now. */
export const has =
  (type: string, status = 'True') =>
  (resource: Resource | undefined): boolean =>
    resource?.status?.observedGeneration === resource?.metadata.generation &&
    condition(resource, type)?.status === status

/** One step after another, each a command of the shop's inventory. */
export const smallSaga = (name: string, deadline = '1h'): Partial<Resource> => ({
  apiVersion: 'parcomolo.io/v1alpha1',
  kind: 'Saga',
  metadata: { name } as Resource['metadata'],
  spec: {
    start: { on: 'OrderPlaced', key: 'event.orderId' },
    deadline,
    steps: [
      {
        name: 'stock',
        command: 'ReserveStock',
        with: { orderId: 'start.orderId', lines: 'start.lines' },
        compensate: { command: 'ReleaseStock', with: { orderId: 'start.orderId' } }
      }
    ]
  }
})
