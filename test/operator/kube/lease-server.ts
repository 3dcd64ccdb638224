import { ParcomoloError } from '../../../src/base/index.ts'
import type { Lease, LeaseSpec, LeaseStore } from '../../../src/operator/kube/lease.ts'
import type { SimulatedProcess } from '../../helpers/simulated-process.ts'
import type { VirtualTime } from '../../helpers/virtual-time.ts'

const refusal = (status: number): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', `status ${status}`, { details: { status } })

/** One Lease on an API server in memory. Its answers take their time, or never come. */
export class LeaseServer {
  lease: Lease | undefined
  /** Of a call; the request or the answer is lost, so nobody knows whether it was done. */
  lossProbability = 0
  readonly #time: VirtualTime
  #version = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  /** As one process reaches it. */
  storeOf(process: SimulatedProcess): LeaseStore {
    const call = <T>(signal: AbortSignal, work: () => T): Promise<T> => this.#call(process, signal, work)
    return {
      get: (signal) => call(signal, () => this.#found()),
      create: (spec, signal) => call(signal, () => this.#create(spec)),
      update: (lease, spec, signal) => call(signal, () => this.#update(lease, spec))
    }
  }

  #call<T>(process: SimulatedProcess, signal: AbortSignal, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      if (this.#time.chance(this.lossProbability)) return
      this.#time.after(this.#time.between(1, 300), () => {
        let answer = (): void => undefined
        try {
          const result = work()
          answer = () => resolve(result)
        } catch (error) {
          answer = () => reject(error as Error)
        }
        if (!this.#time.chance(this.lossProbability)) process.after(this.#time.between(1, 300), answer)
      })
    })
  }

  #found(): Lease {
    if (this.lease === undefined) throw refusal(404)
    return this.lease
  }

  #create(spec: LeaseSpec): Lease {
    if (this.lease !== undefined) throw refusal(409)
    return this.#store(spec)
  }

  #update(lease: Lease, spec: LeaseSpec): Lease {
    if (this.#found().metadata.resourceVersion !== lease.metadata.resourceVersion) throw refusal(409)
    return this.#store(spec)
  }

  #store(spec: LeaseSpec): Lease {
    this.lease = { metadata: { name: 'lease', uid: 'uid', resourceVersion: String(++this.#version) }, spec }
    return this.lease
  }
}
