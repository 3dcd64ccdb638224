import { ParcomoloError } from '../../base/index.ts'
import { failedCall, refusedCall } from './api-error.ts'
import type { KubeObject } from './resource.ts'

/** One message of a watch. A bookmark carries nothing but the version that all before it has reached. */
export type WatchFrame<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject }

/** A line holds one object, and etcd takes none that is larger than 1.5 MiB; what is longer is no frame. */
const lineCharsMax = 16 * 1024 * 1024

/**
 * The frames of a watch, one a line. Throws what an ERROR frame says (410 where the version is too old) and at a line
 * that is no frame. A line that the end of the stream has cut off is dropped: the next watch brings it again.
 */
export async function* framesOf<T extends KubeObject>(
  stream: ReadableStream<Uint8Array>,
  call: string
): AsyncGenerator<WatchFrame<T>> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of chunksOf(stream, call)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop()!
    if (rest.length > lineCharsMax) throw malformed(call, rest)
    for (const line of lines) if (line !== '') yield frameOf<T>(line, call)
  }
}

async function* chunksOf(stream: ReadableStream<Uint8Array>, call: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw failedCall(call, error)
  }
}

const types = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']

type Frame = { readonly type?: string; readonly object?: { readonly metadata?: object; readonly code?: number } }

const frameOf = <T>(line: string, call: string): WatchFrame<T> => {
  const { type, object } = parsed(line, call)
  if (type === 'ERROR') throw refusedCall(call, object?.code ?? 500, JSON.stringify(object))
  if (type === undefined || !types.includes(type) || object?.metadata === undefined) throw malformed(call, line)
  return { type, object } as unknown as WatchFrame<T>
}

const parsed = (line: string, call: string): Frame => {
  try {
    return JSON.parse(line) as Frame
  } catch {
    throw malformed(call, line)
  }
}

const malformed = (call: string, line: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_OPERATOR_API_UNAVAILABLE',
    `the answer to ${call} is no watch: found '${line.slice(0, 80)}'; expected lines with 'type' and 'object'`,
    { retryable: true, details: {} }
  )
