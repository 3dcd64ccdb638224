import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Contracts, contractSet, readContract } from '../../src/contract/index.ts'
import type { Json, ParticipantResource, SagaResource } from '../../src/operator/crd/index.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const metadata = (name: string, generation: number) => ({
  ...{ name, namespace: 'shop', uid: `uid of ${name}`, resourceVersion: '1', generation }
})

const paths = serviceNames.map((name) => `sagas/participants/${name}.yaml`)

/** Of the shop. */
export const shopContracts = (): Contracts =>
  contractSet(paths.map((path) => readContract({ path, text: readFileSync(path, 'utf8') })))

export const sagaResource = (name: string, spec: Json = smallSpec(), generation = 1): SagaResource => ({
  ...{ apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', metadata: metadata(name, generation), spec }
})

export const participantResource = (name: string, spec: Json, generation = 1): ParticipantResource => ({
  ...{ apiVersion: 'parcomolo.io/v1alpha1', kind: 'Participant', metadata: metadata(name, generation), spec }
})

export const specOfFile = (path: string): Json => (parse(readFileSync(path, 'utf8')) as { spec: Json }).spec

/** One step: it takes stock. */
export const smallSpec = (fields: { readonly [name: string]: Json } = {}): { readonly [name: string]: Json } => ({
  start: { on: 'OrderPlaced', key: 'event.orderId' },
  steps: [
    {
      name: 'stock',
      command: 'ReserveStock',
      with: { orderId: 'start.orderId', lines: 'start.lines' },
      compensate: { command: 'ReleaseStock', with: { orderId: 'start.orderId' } }
    }
  ],
  ...fields
})
