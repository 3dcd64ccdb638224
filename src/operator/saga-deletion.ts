import { finalizer, type SagaResource } from './crd/index.ts'
import { explain } from './explain.ts'
import type { Result } from './kube/index.ts'
import type { RunningCount } from './ports.ts'
import { reasons } from './reasons.ts'
import type { SagaDeps } from './saga-deps.ts'
import { sagaStatus } from './status.ts'

/** How soon it is looked again whether instances have ended. */
const lookMs = 2_000
/** The read model may be behind: nothing runs where it says so still after this time. */
const settleMs = 1_000

/**
 * Lets a Saga go that somebody deletes: first nothing begins any more, then what runs comes to its end, then the
 * resource goes.
 */
export class SagaDeletion {
  readonly #deps: SagaDeps
  /** Since when nothing has been seen to run, by uid. */
  readonly #quietSince = new Map<string, number>()

  constructor(deps: SagaDeps) {
    this.#deps = deps
  }

  async advance(saga: SagaResource): Promise<Result> {
    if (saga.metadata.finalizers?.includes(finalizer) !== true) return {}
    const newest = await this.#deps.ports.definitions.newest(saga.metadata.name)
    // What was never published has never begun.
    if (newest === undefined) return this.#letGo(saga)
    if (!newest.retired) {
      this.#deps.client.mayAct()
      await this.#deps.ports.definitions.publish({ ...newest, saga: saga.metadata.name, retired: true })
      const note = `nothing begins on revision ${newest.revision} any more; what runs on it runs on`
      this.#deps.client.tell(saga, 'Normal', { reason: reasons.retired, action: 'Retire', note })
    }
    return this.#awaitEnd(saga)
  }

  async #awaitEnd(saga: SagaResource): Promise<Result> {
    const { name, uid } = saga.metadata
    const { client, ports } = this.#deps
    let running: readonly RunningCount[] | undefined
    let message: string
    try {
      running = (await ports.running.count()).filter((count) => count.saga === name && count.count > 0)
      message = runningText(saga, running)
    } catch (error) {
      message = `nobody can say what still runs: ${explain(error)}; ${escapeText(saga)}`
    }
    if (running?.length === 0) {
      const since = this.#quietSince.get(uid) ?? client.now()
      this.#quietSince.set(uid, since)
      const leftMs = since + settleMs - client.now()
      return leftMs > 0 ? { requeueAfterMs: leftMs } : this.#letGo(saga)
    }
    this.#quietSince.delete(uid)
    const standing = { kind: 'working', reason: reasons.running, message } as const
    await client.setStatus(saga, sagaStatus(saga, { standing, revision: undefined, running }, client.now()))
    return { requeueAfterMs: lookMs }
  }

  async #letGo(saga: SagaResource): Promise<Result> {
    this.#quietSince.delete(saga.metadata.uid)
    await this.#deps.client.setFinalizer(saga, finalizer, false)
    return {}
  }
}

const runningText = (saga: SagaResource, running: readonly RunningCount[]): string => {
  const total = running.reduce((sum, { count }) => sum + count, 0)
  const each = running.map(({ revision, count }) => `${count} on revision ${revision}`).join(', ')
  const subject = total === 1 ? '1 instance still runs' : `${total} instances still run`
  return `${subject} (${each}); the resource goes when the last has ended; ${escapeText(saga)}`
}

const escapeText = ({ metadata }: SagaResource): string =>
  `to let it go at once, and what runs run on without it: kubectl patch saga ${metadata.name} -n ${metadata.namespace} ` +
  `--type=merge -p '{"metadata":{"finalizers":null}}'`
