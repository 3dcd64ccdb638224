import { ParcomoloError } from '../../../src/base/index.ts'
import type { WatchFrame } from '../../../src/operator/kube/frames.ts'
import type { Source } from '../../../src/operator/kube/reflector.ts'
import type { KubeObject } from '../../../src/operator/kube/resource.ts'

type Frame = WatchFrame<KubeObject>
type Watch = { push(frame: Frame | Error | 'end'): void }

/** The objects of one kind on an API server in memory, with its history and the faults that it is told to have. */
export class ObjectServer implements Source<KubeObject> {
  readonly #objects = new Map<string, KubeObject>()
  readonly #history: Frame[] = []
  readonly #watches = new Set<Watch>()
  #version = 10
  #compactedAt = 0
  /** Answers to come, the next one first, before it works again. */
  readonly faults: Error[] = []
  /** What was asked, in order. */
  readonly calls: string[] = []
  pageSizeMax = 500
  isSilent = false

  put(name: string, fields: Partial<KubeObject['metadata']> = {}): KubeObject {
    const known = this.#objects.get(name)
    const uid = known?.metadata.uid ?? `uid of ${name} since ${this.#version}`
    const metadata = { generation: 1, ...known?.metadata, ...fields, name, uid, resourceVersion: this.#next() }
    const object = { metadata: { ...metadata, managedFields: [{ manager: 'test' }] } }
    this.#objects.set(name, object)
    this.#tell({ type: known === undefined ? 'ADDED' : 'MODIFIED', object })
    return object
  }

  delete(name: string): void {
    const known = this.#objects.get(name)!
    this.#objects.delete(name)
    this.#tell({ type: 'DELETED', object: { metadata: { ...known.metadata, resourceVersion: this.#next() } } })
  }

  bookmark(): void {
    const metadata = { name: '', uid: '', resourceVersion: String(this.#version) }
    for (const watch of this.#watches) watch.push({ type: 'BOOKMARK', object: { metadata } })
  }

  /** Ends all watches: with an error as a cut connection does, or in peace. */
  cut(how: Error | 'end' = new Error('terminated')): void {
    for (const watch of this.#watches) watch.push(how)
    this.#watches.clear()
  }

  /** Forgets what has been. */
  compact(): void {
    this.#compactedAt = this.#version
  }

  get watchCount(): number {
    return this.#watches.size
  }

  async list({ next }: { next?: string | undefined }): Promise<Awaited<ReturnType<Source<KubeObject>['list']>>> {
    this.calls.push('list')
    this.#fail()
    const from = Number(next ?? 0)
    const all = [...this.#objects.values()]
    const items = all.slice(from, from + this.pageSizeMax)
    const end = from + items.length
    return { items, resourceVersion: String(this.#version), ...(end < all.length ? { next: String(end) } : {}) }
  }

  async watch(from: { resourceVersion: string; signal: AbortSignal }): Promise<AsyncIterable<Frame>> {
    this.calls.push('watch')
    this.#fail()
    if (Number(from.resourceVersion) < this.#compactedAt) throw gone()
    const missed = this.#history.filter((frame) => versionOf(frame) > Number(from.resourceVersion))
    return this.#framesOf(missed, from.signal)
  }

  async *#framesOf(missed: readonly Frame[], signal: AbortSignal): AsyncGenerator<Frame> {
    const waiting: (Frame | Error | 'end')[] = [...missed]
    let wake = (): void => undefined
    const watch = {
      push: (frame: Frame | Error | 'end'): void => {
        waiting.push(frame)
        wake()
      }
    }
    signal.addEventListener('abort', () => watch.push(signal.reason as Error))
    this.#watches.add(watch)
    try {
      for (;;) {
        const frame = waiting.shift()
        if (frame === 'end') return
        if (frame instanceof Error) throw frame
        if (frame !== undefined) yield frame
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#watches.delete(watch)
    }
  }

  #tell(frame: Frame): void {
    this.#history.push(frame)
    if (!this.isSilent) for (const watch of this.#watches) watch.push(frame)
  }

  #fail(): void {
    const fault = this.faults.shift()
    if (fault !== undefined) throw fault
  }

  #next(): string {
    return String(++this.#version)
  }
}

const versionOf = (frame: Frame): number => Number(frame.object.metadata.resourceVersion)

export const gone = (): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', 'too old', { details: { status: 410 } })

export const unavailable = (): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_OPERATOR_API_UNAVAILABLE', 'away', { retryable: true, details: { status: 503 } })
